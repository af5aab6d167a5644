// A bounded pipe between the thread that has an archive's bytes and the one that imports it.
//
// The writer never blocks: what does not fit is refused, and the writer is told when there is room.
// A flush asks the reader for its verdict on what has been written so far.
//
// Thread safety: one writer side, one reader side; each side's calls come from one thread at a time.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <vector>

#include "importer/byte_source.h"

namespace imagefs::importer {

class BytePipe final : public ByteSource {
 public:
  // `capacity`: bytes that may wait. `on_room`: called in the reader's thread, without a lock, when
  // bytes have been taken out after a write was refused.
  BytePipe(std::size_t capacity, std::function<void()> on_room);
  ~BytePipe() override;

  // Copies the bytes in, all or none: false when they do not fit (a block larger than the capacity
  // fits into an empty pipe). Bytes written after the reader has ended are dropped: true.
  [[nodiscard]] bool write(std::span<const std::byte> bytes);
  // The same, `count` zeros, which take no memory.
  [[nodiscard]] bool write_zeros(std::uint64_t count);
  // Asks, once the reader has taken all bytes: is that all? When `end`, or when `complete()` says so, the
  // reader gets the end of the stream. Else `incomplete` is called (reader's thread, no lock) and
  // reading goes on.
  void flush(bool end, std::function<void()> incomplete);
  // The reader's next() throws `error` from now on (the copy was cancelled).
  void abort(std::exception_ptr error);

  // Reader side. `complete`: called within next(), when all bytes are taken and a flush asks.
  void set_complete(std::function<bool()> complete);
  [[nodiscard]] std::span<const std::byte> next() override;
  // Nothing will be read any more; bytes that wait are dropped.
  void close_reader();

 private:
  struct Block {
    std::vector<std::byte> bytes;
    std::uint64_t zeros = 0;
  };
  struct Flush {
    bool end;
    std::function<void()> incomplete;
  };
  std::mutex mutex_;
  std::condition_variable readable_;
  const std::size_t capacity_;
  const std::function<void()> on_room_;
  std::function<bool()> complete_;
  std::deque<Block> blocks_;
  Block current_;
  std::size_t waiting_ = 0;
  bool refused_ = false;
  bool ended_ = false;
  bool reader_closed_ = false;
  std::optional<Flush> flush_;
  std::exception_ptr error_;
};

}  // namespace imagefs::importer
