// An image as an archive that is computed while it is read: an OCI layout plus manifest.json, as
// Docker 25 and later save it, so that docker, podman, skopeo and ctr load it with its digests.
//
// The bytes depend on the image and its name alone: the same on every machine, at every read, in
// any order. Nothing is stored, and memory is a few bytes a blob.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "blobstore/descriptor.h"
#include "blobstore/store.h"
#include "fs/node.h"

namespace imagefs::fs {

struct ImageTarOptions {
  blobstore::Descriptor image;      // of the manifest or index that the name stands for
  std::optional<std::string> name;  // normalised; nothing: the archive names nothing
  blobstore::Descriptor manifest;   // the one that manifest.json describes; `image` itself, or
                                    // the one of an index that fits the mount's platform
};

// Blobs that the image refers to and that are not there (other platforms, foreign layers) are left
// out. Throws Error when a document cannot be read. The content may be read from any thread; a read
// of a blob that a GC took meanwhile throws Error{ESTALE}.
[[nodiscard]] ContentPtr make_image_tar(std::shared_ptr<const blobstore::Store> store,
                                        const ImageTarOptions& options);

}  // namespace imagefs::fs
