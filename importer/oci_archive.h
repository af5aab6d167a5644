// OCI archives: an image layout in a tar. Its index.json is read, and everything below it.
#pragma once

#include <string>

#include "importer/archive.h"
#include "importer/limits.h"
#include "importer/reading.h"

namespace imagefs::importer {

struct OciSituation {
  bool has_manifest_json;  // which is read when the layout is not whole
  bool has_ended;          // no more entries will come
};

// Descriptors of index.json become images, their bytes and digests untouched. Platforms of an index
// may be absent, as long as one is whole: absent is one of which nothing is there but the manifest
// and what it shares with others, and of that the manifest is left out too. `file_name`: of the
// archive; its stem is the repository of an image that has only a tag. What is not there makes the
// reading's `missing`, and until the archive has ended so does what is absent. An image that has
// another number of layers than its config has diff IDs does it too where manifest.json may be read
// in its place; what is there and wrong throws Error.
[[nodiscard]] Reading read_oci_archive(Archive& archive, const Limits& limits,
                                       const std::string& file_name, OciSituation situation);

}  // namespace imagefs::importer
