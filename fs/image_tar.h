// An image as an archive that is computed while it is read: an OCI layout plus manifest.json, as
// Docker 25 and later save it, so that docker, podman, skopeo and ctr load it with its digests.
//
//   options.image_children.push_back(image_tar_child(std::make_shared<OpenBlobs>(most)));
//
// The bytes depend on the image and its name alone: the same on every machine, at every read, in
// any order. Of an index it holds what is there: other platforms that are absent are left out, as
// are absent foreign layers. Nothing is stored, and memory is a few bytes a blob.
//
// What is open stays readable: from open() on it holds its blobs, as long as there are descriptors.
// Without these a read of a blob that a GC took meanwhile throws Error{ESTALE}.
#pragma once

#include <memory>

#include "fs/image_child.h"
#include "fs/open_blobs.h"

namespace imagefs::fs {

// The entry `image.tar` of image directories. Its open() throws Error, and logs why: EIO when a
// blob is damaged or absent, ESTALE when the image is gone, EMFILE … When a document is damaged,
// its size is not known: then asking for its attributes throws Error{EIO} too.
[[nodiscard]] ImageChild image_tar_child(std::shared_ptr<OpenBlobs> blobs);

}  // namespace imagefs::fs
