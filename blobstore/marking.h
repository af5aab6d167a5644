// Which blobs the images of a store refer to.
#pragma once

#include <cstdint>
#include <unordered_set>
#include <vector>

#include "blobstore/descriptor.h"
#include "blobstore/directory.h"
#include "blobstore/index.h"

namespace imagefs::blobstore {

// Of a manifest or an index that is read, bytes, and of indexes within indexes.
inline constexpr std::uint64_t kMaxDocument = 20 << 20;
inline constexpr int kMaxDocumentDepth = 8;

// As the members of Store of the same names.
[[nodiscard]] std::vector<Descriptor> referenced(const Directory& directory,
                                                 const Descriptor& image);
[[nodiscard]] std::vector<Descriptor> needed(const Directory& directory, const Descriptor& image);
// The digests that any image of the index refers to; of manifests of other tools' media types,
// every digest that they name. Throws Error when a document, or an entry of
// the index, cannot be read: then it is not known.
[[nodiscard]] std::unordered_set<Digest> all_referenced(const Directory& directory,
                                                        const Index& index);

}  // namespace imagefs::blobstore
