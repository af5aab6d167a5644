// Whether all that the images of a store refer to is there.
#pragma once

#include <vector>

#include "blobstore/directory.h"
#include "blobstore/index.h"
#include "blobstore/store.h"

namespace imagefs::blobstore {

// The blobs that are absent although an image needs them, and the documents that cannot be
// understood. An index may lack platforms as long as one is there.
[[nodiscard]] std::vector<Store::Damage> find_missing(const Directory& directory,
                                                      const Index& index);

}  // namespace imagefs::blobstore
