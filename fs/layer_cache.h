// The layers of a store, as rootfs/ needs them: their indexes and their decoded bytes.
//
// Both live in cache/ of the store, where they can be made again: an index that is missing or
// damaged when it is first needed (the import makes it otherwise), the bytes of a compressed layer
// when one of its files is first read. Of a store that cannot be written both are kept in unnamed
// temporary files.
//
// Both are made in threads of the cache's own, that give up soon after it ends: who needs them
// waits as long as he likes. One makes all the indexes, one after the other.
//
// Thread safety: every member from any thread. index() waits.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>

#include "blobstore/digest.h"
#include "blobstore/store.h"
#include "fs/index_maker.h"
#include "fs/layer_bytes.h"
#include "fs/layer_eviction.h"
#include "fs/patience.h"
#include "fs/recent.h"
#include "fs/threads.h"
#include "importer/layer_index.h"

namespace imagefs::fs {

class LayerCache {
 public:
  struct Limits {
    std::uint64_t max_layer = 64ULL << 30;   // bytes of a layer, decoded
    std::uint64_t max_decoded = 8ULL << 30;  // bytes of cache/layers/
    std::uint64_t min_free = 0;              // bytes that must stay free on the store's disk
  };

  LayerCache(std::shared_ptr<const blobstore::Store> store, const Limits& limits)
      : store_(std::move(store)), limits_(limits) {}
  LayerCache(const LayerCache&) = delete;
  LayerCache& operator=(const LayerCache&) = delete;
  ~LayerCache() { ended_ = true; }

  using IndexPtr = IndexMaker::IndexPtr;
  // Waits for one that has to be made. Throws Error: EIO when the blob is absent or damaged, or no
  // tar; ENOSPC, ENOMEM …; what `patience` throws.
  [[nodiscard]] IndexPtr index(const blobstore::Digest& layer, const Patience& patience);
  // Null when it has to be made, or is not open and has more than `most` bytes: it is read whole,
  // for its checksum. What is read is taken from these.
  [[nodiscard]] IndexPtr find_index(const blobstore::Digest& layer, std::uint64_t& most);
  // Whether there is one, perhaps a damaged one.
  [[nodiscard]] bool has_index(const blobstore::Digest& layer) const;
  // `size`: of the decoded bytes, by the index. Throws Error{EIO} when the blob is absent or
  // damaged.
  [[nodiscard]] LayerBytesPtr bytes(const blobstore::Digest& layer, std::uint64_t size);
  // Keeps no layer open that nobody reads, but those that would have to be decoded again: what is
  // removed takes no space any more.
  void release();

 private:
  [[nodiscard]] IndexPtr find_index(const blobstore::Digest& layer);
  [[nodiscard]] IndexPtr find_open(const blobstore::Digest& layer);
  void keep(const blobstore::Digest& layer, const IndexPtr& index);
  [[nodiscard]] IndexPtr make_index(const blobstore::Digest& layer);
  [[nodiscard]] IndexPtr rebuild_index(const blobstore::Digest& layer) const;
  void check_wanted() const;
  [[nodiscard]] LayerBytesPtr open_bytes(const blobstore::Digest& layer, std::uint64_t size);
  [[nodiscard]] UniqueFd open_blob(const blobstore::Digest& layer) const;

  static constexpr std::size_t kOpenLayers = 64;
  static constexpr std::size_t kOpenIndexes = 256;

  const std::shared_ptr<const blobstore::Store> store_;
  const Limits limits_;
  const std::shared_ptr<LayerRoom> room_ = std::make_shared<LayerRoom>(limits_.max_decoded);
  std::atomic<bool> ended_ = false;
  std::mutex mutex_;  // of what follows; nothing slow happens under it
  Recent<blobstore::Digest, const importer::LayerIndex> indexes_{kOpenIndexes};
  // When all this ends, the decoders give up first: who makes an index may wait for their memory.
  IndexMaker maker_{[this](const blobstore::Digest& layer) { return make_index(layer); }};
  const std::shared_ptr<Threads> decoders_ = std::make_shared<Threads>();
  Recent<blobstore::Digest, LayerBytes> bytes_{kOpenLayers};
};

}  // namespace imagefs::fs
