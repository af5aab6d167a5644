// Makes the indexes of layers that have none: one after the other, in a thread that lives as long
// as somebody's index is missing.
//
// Thread safety: every member from any thread.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "blobstore/digest.h"
#include "blobstore/error.h"
#include "fs/patience.h"
#include "fs/threads.h"
#include "importer/layer_index.h"

namespace imagefs::fs {

class IndexMaker {
 public:
  using IndexPtr = std::shared_ptr<const importer::LayerIndex>;
  using Make = std::function<IndexPtr(const blobstore::Digest&)>;

  // `make`: makes one, or throws.
  explicit IndexMaker(Make make) : make_(std::move(make)) {}
  IndexMaker(const IndexMaker&) = delete;
  IndexMaker& operator=(const IndexMaker&) = delete;
  ~IndexMaker() = default;  // makes first what is wanted

  // Waits for the index of `layer`; all who wait for one get the same. Throws Error: what `make`
  // threw, EIO when that lies in the layer (this is remembered), what `patience` throws, and EAGAIN
  // when no thread can be had.
  [[nodiscard]] IndexPtr make(const blobstore::Digest& layer, const Patience& patience);

 private:
  // An index that is wanted, or why it cannot be had.
  struct Wanted {
    bool decided = false;
    IndexPtr index;
    std::optional<Error> failure;
  };
  using WantedPtr = std::shared_ptr<Wanted>;

  [[nodiscard]] WantedPtr want(const blobstore::Digest& layer);
  void start_thread();
  void serve();
  [[nodiscard]] std::optional<blobstore::Digest> next();
  void decide(const blobstore::Digest& layer, IndexPtr index, const std::optional<Error>& failure);

  const Make make_;
  std::mutex mutex_;  // of what follows; nothing slow happens under it
  std::condition_variable decided_;
  std::map<blobstore::Digest, WantedPtr> wanted_;
  std::deque<blobstore::Digest> line_;  // what is to be made
  bool serving_ = false;
  Threads thread_;
};

}  // namespace imagefs::fs
