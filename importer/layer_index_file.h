// Where a store keeps the indexes of its layers: cache/index/<hex of the blob's digest>.
//
// Thread safety: every function from any thread; several processes may do the same at once.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "blobstore/digest.h"
#include "importer/cache_file.h"
#include "importer/layer_index.h"

namespace imagefs::importer {

// Null when there is none, or a damaged one. `store_fd`: the store's directory.
[[nodiscard]] std::shared_ptr<const LayerIndex> open_layer_index(int store_fd,
                                                                 const blobstore::Digest& layer);
// In bytes; nothing when there is none. It may be damaged.
[[nodiscard]] std::optional<std::uint64_t> layer_index_size(int store_fd,
                                                            const blobstore::Digest& layer);
// The directory that a finished index is made in, and published as layer.hex(); an empty UniqueFd
// when it cannot be written.
[[nodiscard]] UniqueFd open_index_directory(int store_fd);

struct RebuiltIndex {
  CacheFile file;
  std::vector<std::string> notes;
};
// Makes the index of a layer that is stored already, compressed or not. Reads all of the blob.
// `directory_fd`: see CacheFile. `max_layer`: bytes, decoded. `check`: called again and again while
// it is made; what it throws ends that. `min_free`: bytes that must stay free on the store's disk.
// Throws Error: EBADMSG (no tar, corrupt), EFBIG, ENOSPC, EIO …
[[nodiscard]] RebuiltIndex rebuild_layer_index(int directory_fd, int blob_fd,
                                               std::uint64_t max_layer,
                                               const std::function<void()>& check,
                                               std::uint64_t min_free = 0);

}  // namespace imagefs::importer
