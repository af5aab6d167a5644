// The names that an OCI archive gives its images.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "blobstore/descriptor.h"

namespace imagefs::importer {

// The normalised name that a descriptor of index.json has: io.containerd.image.name; else
// org.opencontainers.image.ref.name, where a bare tag is joined to the stem of `file_name`.
// Nothing: untagged. Throws Error{EINVAL} for an io.containerd.image.name that is no name.
[[nodiscard]] std::optional<std::string> name_of(const blobstore::Descriptor& descriptor,
                                                 std::string_view file_name);

// "busybox" for "busybox.oci.tar", "dir/busybox.tar.gz" and the like.
[[nodiscard]] std::string image_stem(std::string_view file_name);

}  // namespace imagefs::importer
