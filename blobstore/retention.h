// Which images of a store a collection keeps, and their blobs.
#pragma once

#include <functional>
#include <unordered_set>
#include <vector>

#include "blobstore/digest.h"
#include "blobstore/directory.h"
#include "blobstore/index.h"

namespace imagefs::blobstore {

struct Retained {
  std::unordered_set<Digest> blobs;  // those that are absent too
  std::vector<Image> gone;           // the images that are not kept
};

// Keeps the images of the index with all that they lead to: of manifests of other tools' media
// types, every digest that they name. Of those that `may_go` only the referrers are kept, images
// with a `subject` that is kept: another image, a manifest of an index, another referrer.
//
// Throws Error when a manifest is missing, or a document or an entry of the index cannot be read:
// what it refers to is not known then. It names the image and says what can be done.
[[nodiscard]] Retained retain(const Directory& directory, const Index& index,
                              const std::function<bool(const Image&)>& may_go);

}  // namespace imagefs::blobstore
