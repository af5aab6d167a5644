// An image as an archive that is computed while it is read: an OCI layout plus manifest.json, as
// Docker 25 and later save it, so that docker, podman, skopeo and ctr load it with its digests.
//
// The bytes depend on the image and its name alone: the same on every machine, at every read, in
// any order. Nothing is stored, and memory is a few bytes a blob.
#pragma once

#include "fs/image_child.h"
#include "fs/node.h"

namespace imagefs::fs {

// The node `image.tar` of an image directory; an ImageChild's make(). Of an index it holds what is
// there: other platforms and foreign layers that are absent are left out. Throws Error when a
// document cannot be read; a read of a blob that a GC took meanwhile throws Error{ESTALE}.
[[nodiscard]] NodePtr make_image_tar(const ImageContext& context);

}  // namespace imagefs::fs
