// A bounded pipe between the thread that has an archive's bytes and the one that imports it.
//
// The writer never blocks: what does not fit is refused, and the writer is told when there is room.
// A flush asks the reader for its verdict on what has been written so far.
//
// Thread safety: one writer side, one reader side; each side's calls come from one thread at a
// time. Nothing is called back with a lock held. `on_room` may come before write() has returned its
// refusal: hold the lock that it takes around write() and the note of what was refused.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <span>
#include <vector>

#include "importer/byte_source.h"

namespace imagefs::importer {

class BytePipe final : public ByteSource {
 public:
  // Blocks that may wait, however small they are.
  static constexpr std::size_t kMaxBlocks = 1024;

  // `capacity`: bytes that may wait. `on_room`: called in the reader's thread, without a lock, when
  // bytes have been taken out, or the reader has closed, after a write was refused.
  BytePipe(std::size_t capacity, std::function<void()> on_room);
  ~BytePipe() override;

  // Copies the bytes in, all or none: false when they do not fit (a block larger than the capacity
  // fits into an empty pipe). Bytes written after the end (a flush with `end`, or one that found
  // the archive complete), after abort() or after the reader has closed are dropped: true.
  [[nodiscard]] bool write(std::span<const std::byte> bytes);
  // The same, `count` zeros, which take no memory.
  [[nodiscard]] bool write_zeros(std::uint64_t count);
  // Asks, once the reader has taken all bytes, those too that are written meanwhile: is that all?
  // When `end`, or when `complete()` says so, the reader gets the end of the stream, and what the
  // import comes to is the answer. Else `incomplete` is called (reader's thread, no lock) and
  // reading goes on. Several may be asked at once; each `incomplete` is called at most once, and
  // never after the end, abort() or close_reader().
  void flush(bool end, std::function<void()> incomplete);
  // The reader's next() throws `error` from now on (the copy was cancelled).
  void abort(std::exception_ptr error);

  // Reader side. `complete`: called within next(), without a lock, when all bytes are taken and a
  // flush asks.
  void set_complete(std::function<bool()> complete);
  [[nodiscard]] std::span<const std::byte> next() override;
  void check() override;
  // Nothing will be read any more; bytes that wait are dropped.
  void close_reader();

 private:
  struct Block {
    std::vector<std::byte> bytes = {};
    std::uint64_t zeros = 0;  // not 0: a run of zeros instead of bytes
  };
  struct Flush {
    bool end;
    std::function<void()> incomplete;
  };
  using Lock = std::unique_lock<std::mutex>;

  [[nodiscard]] bool drops() const;
  [[nodiscard]] bool has_room(std::size_t bytes) const;
  [[nodiscard]] bool joins_last(std::size_t bytes) const;
  [[nodiscard]] std::vector<std::byte> take_spare();
  void push(Block block);
  [[nodiscard]] std::span<const std::byte> take_zeros();
  [[nodiscard]] std::span<const std::byte> take_block(Lock& lock);
  void recycle_current();
  void settle(Lock& lock);

  std::mutex mutex_;
  std::condition_variable readable_;
  const std::size_t capacity_;
  const std::function<void()> on_room_;
  std::function<bool()> complete_;  // reader's thread only
  Block current_;                   // reader's thread only: what next() has handed out
  std::deque<Block> blocks_;
  std::vector<std::vector<std::byte>> spares_;  // buffers of blocks that have been read
  std::size_t waiting_ = 0;                     // bytes in blocks_
  bool refused_ = false;
  bool end_asked_ = false;
  bool ended_ = false;
  bool reader_closed_ = false;
  std::vector<Flush> flushes_;
  std::exception_ptr error_;
};

}  // namespace imagefs::importer
