// The layers of a store, as rootfs/ needs them: their indexes and their decoded bytes.
//
// Both live in cache/ of the store, where they can be made again: an index that is missing or
// damaged when it is first needed (the import makes it otherwise), the bytes of a compressed layer
// when one of its files is first read. Of a store that cannot be written both are kept in unnamed
// temporary files.
//
// Thread safety: every member from any thread. An index that has to be made keeps its caller
// waiting.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "blobstore/digest.h"
#include "blobstore/store.h"
#include "fs/layer_bytes.h"
#include "fs/recent.h"
#include "importer/layer_index.h"

namespace imagefs::fs {

class LayerCache {
 public:
  struct Limits {
    std::uint64_t max_layer = 64ULL << 30;   // bytes of a layer, decoded
    std::uint64_t max_decoded = 8ULL << 30;  // bytes of cache/layers/
  };

  LayerCache(std::shared_ptr<const blobstore::Store> store, const Limits& limits)
      : store_(std::move(store)), limits_(limits) {}

  using IndexPtr = std::shared_ptr<const importer::LayerIndex>;
  // Throws Error: EIO when the blob is absent or damaged, or no tar; EFBIG, ENOSPC.
  [[nodiscard]] IndexPtr index(const blobstore::Digest& layer);
  // Null when it has to be made.
  [[nodiscard]] IndexPtr find_index(const blobstore::Digest& layer);
  // `size`: of the decoded bytes, by the index. Throws Error{EIO} when the blob is absent or
  // damaged.
  [[nodiscard]] LayerBytesPtr bytes(const blobstore::Digest& layer, std::uint64_t size);

 private:
  [[nodiscard]] IndexPtr make_index(const blobstore::Digest& layer);
  [[nodiscard]] LayerBytesPtr open_bytes(const blobstore::Digest& layer, std::uint64_t size);
  [[nodiscard]] UniqueFd open_blob(const blobstore::Digest& layer) const;

  static constexpr std::size_t kOpenLayers = 64;
  static constexpr std::size_t kOpenIndexes = 256;

  const std::shared_ptr<const blobstore::Store> store_;
  const Limits limits_;
  std::mutex mutex_;  // of what follows; nothing slow happens under it
  Recent<blobstore::Digest, const importer::LayerIndex> indexes_{kOpenIndexes};
  Recent<blobstore::Digest, LayerBytes> bytes_{kOpenLayers};
  std::map<blobstore::Digest, std::string> failures_;  // why layers can have no index
  std::mutex making_;  // one index is made at a time; never held together with mutex_
};

}  // namespace imagefs::fs
