// Whether all that the images of a store refer to is there.
#pragma once

#include <vector>

#include "blobstore/directory.h"
#include "blobstore/store.h"

namespace imagefs::blobstore {

// The blobs that are absent although an image needs them, and the documents that cannot be
// understood. An index may lack platforms as long as one is there.
//
// What seems to lack is looked at once more, with the store's lock (so it must not be held), as its
// image may have been removed and collected meanwhile; again, as long as index.json changes:
// other programs do not take the lock, and in a store that cannot be written nor can we. Throws
// Error{EAGAIN} when that does not end.
[[nodiscard]] std::vector<Store::Damage> find_missing(const Directory& directory);

}  // namespace imagefs::blobstore
