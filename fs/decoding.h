// One try at decoding a layer, from its start to its end, into a file of cache/layers/.
//
//   threads.start([decoding] { decoding->run(); });
//   decoding->await(end, patience);
//   decoding->read(into, offset);
//
// Nothing is given out before the layer has come to its end and its stored bytes have its digest:
// what is damaged is seen at the end alone. What is whole is published, and serves later mounts
// too; not what the directory has no room for. A try that failed for want of something lets go of
// its file, and of the room that this took.
//
// Thread safety: run() in a thread of its own, the others from any thread.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>

#include "blobstore/digest.h"
#include "blobstore/error.h"
#include "blobstore/unique_fd.h"
#include "fs/layer_eviction.h"
#include "fs/patience.h"
#include "importer/cache_file.h"

namespace imagefs::fs {

class Decoding {
 public:
  struct Source {
    UniqueFd blob;
    std::uint64_t size;  // bytes, decoded
    UniqueFd directory;  // cache/layers/; empty: cannot be written
    blobstore::Digest layer;
    std::shared_ptr<LayerRoom> room;  // of the directory
    std::uint64_t min_free;           // bytes that must stay free on its disk
  };
  explicit Decoding(std::shared_ptr<const Source> source) : source_(std::move(source)) {}

  void run() noexcept;
  // Nobody wants it any more: run() returns soon.
  void give_up() noexcept { given_up_ = true; }

  // These three as LayerBytes has them.
  [[nodiscard]] bool ready(std::uint64_t end) const;
  void await(std::uint64_t end, const Patience& patience) const;
  void read(std::span<std::byte> into, std::uint64_t offset) const;
  // Whether it has failed, and another try may not.
  [[nodiscard]] bool may_be_tried_again() const;
  // Whether the bytes are to be found in the directory.
  [[nodiscard]] bool is_published() const { return published_; }

 private:
  using FilePtr = std::shared_ptr<const importer::CacheFile>;

  void decode();
  void leave_min_free(int fd) const;
  void write(int fd, std::span<const std::byte> bytes, std::uint64_t offset) const;
  void check_stored() const;
  void end(const Error& failure);

  const std::shared_ptr<const Source> source_;
  std::atomic<bool> given_up_ = false;
  std::atomic<bool> published_ = false;
  mutable std::mutex mutex_;  // of what follows; nothing slow happens under it
  mutable std::condition_variable ended_;
  FilePtr file_;
  std::uint64_t readable_ = 0;    // bytes of it: none, or all
  std::optional<Error> failure_;  // of whoever wants more than there is; set when it has ended
  bool again_ = false;
};

}  // namespace imagefs::fs
