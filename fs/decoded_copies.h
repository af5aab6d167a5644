// The decoded copies of layers in a store's cache/layers/, judged by the blobs that they are of.
#pragma once

#include <string>
#include <vector>

#include "blobstore/digest.h"
#include "blobstore/store.h"
#include "blobstore/unique_fd.h"

namespace imagefs::fs {

inline constexpr const char* kDecodedCopies = "layers";  // of cache/

// Opens a layer's copy in the directory, whatever is in it; an empty UniqueFd when there is none.
[[nodiscard]] UniqueFd open_decoded_copy(int directory_fd, const blobstore::Digest& layer);

// Decodes every layer that has a copy, and removes the copies that are something else, where the
// store can be written: a mount that has one open goes on with it. The layers that had one.
[[nodiscard]] std::vector<blobstore::Digest> remove_damaged_copies(const blobstore::Store& store);

}  // namespace imagefs::fs
