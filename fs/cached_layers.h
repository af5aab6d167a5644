// The decoded layers in a store's cache/layers/, judged by the blobs that they are of.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "blobstore/digest.h"
#include "blobstore/store.h"
#include "blobstore/unique_fd.h"

namespace imagefs::fs {

inline constexpr const char* kCachedLayers = "layers";  // of cache/

struct CachedLayer {
  UniqueFd fd;
  std::uint64_t size;  // bytes
};
// Opens the file of a layer in the directory, whatever is in it; nothing when there is none.
[[nodiscard]] std::optional<CachedLayer> open_cached_layer(int directory_fd,
                                                           const blobstore::Digest& layer);

// Decodes every layer that has a file there, and gives those whose file holds something else or
// cannot be read. Their files are removed where the store can be written; a mount that has one open
// goes on with it. Of a layer whose blob is damaged nothing is said. Throws Error.
[[nodiscard]] std::vector<blobstore::Digest> remove_damaged_cached_layers(
    const blobstore::Store& store);

}  // namespace imagefs::fs
