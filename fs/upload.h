// One archive that arrives through ingest/: the writes of a copy become the stream of an import,
// and the import's end becomes the copy's exit status.
//
//   upload->write(bytes, 0, pending);      // as often as write(2)s come; answered now or later
//   upload->flush(true, pending);          // close(2): answered with the verdict
//   upload->release();                     // the last descriptor is gone: settles what is open
//
// What has been read cannot be written again: offsets only grow. A gap means zeros. The import's
// thread starts with the first byte.
//
// Thread safety: every member from any thread. Answers and hooks are called without a lock.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "fs/pending.h"
#include "fs/verdict.h"
#include "importer/byte_pipe.h"

namespace imagefs::fs {

class Upload : public std::enable_shared_from_this<Upload> {
 public:
  using Clock = std::chrono::steady_clock;

  struct Hooks {
    // Runs a piece of work in a thread of its own. May throw std::system_error.
    std::function<void(std::function<void()>)> start;
    // The import, in that thread. Must not throw.
    std::function<Verdict(importer::BytePipe&)> import;
    // The opener closed the file and the archive is not complete; called before it is answered
    // with ENODATA. More may come from other descriptors.
    std::function<void(const Upload&, const std::string& sentence)> incomplete;
    // The end, called before anyone is answered; not for an upload without a byte.
    std::function<void(const Upload&, const Verdict&)> settled;
  };

  // `capacity`: bytes that may wait for the import.
  Upload(std::size_t capacity, Hooks hooks);

  // Answers 0 when the bytes are taken: at once while there is room, else when there is. EINVAL: an
  // offset that has been passed, or other bytes than padding after the import has finished. When
  // the import has failed, its errno.
  void write(std::span<const std::byte> bytes, std::uint64_t offset, PendingPtr pending);
  // A size that the file has now, without bytes: zeros, unless they are still written. Throws
  // Error{EINVAL} for less than what has been written.
  void extend(std::uint64_t size);
  // close(2) of one of the descriptors. Answers 0 when nothing was written; the import's end when
  // the archive is complete; else ENODATA to the opener, and 0 to any other process.
  void flush(bool by_opener, PendingPtr pending);
  void release();
  // Ends the import; writers get `errno_value` from now on, and so does who would publish a good
  // archive that waits for its name: it is dropped.
  void cancel(int errno_value, const std::string& sentence);
  // Lets go of requests whose callers are being killed: EINTR.
  void drop_abandoned();

  [[nodiscard]] std::uint64_t size() const;  // bytes, as stat shows it
  [[nodiscard]] bool is_settled() const;
  // Whether something is kept for it: more may come, or it is good and waits for its name.
  [[nodiscard]] bool is_kept() const;
  // How it ended; nothing while it has not.
  [[nodiscard]] std::optional<Verdict> verdict() const;
  // Publishes what waits for its name, and gives the verdict then. Only when it has ended.
  Verdict publish(const std::string& name);
  // Whether the opener has closed it since the last write, and has its answer: nothing more will
  // come, but for a RELEASE. It may have another descriptor when it closed before there was
  // anything to judge (dup2(2), as in `cmd > file`).
  enum class Closing { no, maybe, closed };
  [[nodiscard]] Closing closing() const;
  [[nodiscard]] Clock::time_point last_write() const;

 private:
  struct Piece {  // of the stream, that did not fit into the pipe
    std::uint64_t offset;
    std::uint64_t zeros;  // before the bytes
    std::vector<std::byte> bytes;
    PendingPtr pending;
  };
  struct Flush {
    bool by_opener;
    PendingPtr pending;
    bool asked = false;  // the question that the pipe has is this one's too
  };

  [[nodiscard]] int refusal(std::span<const std::byte> bytes, std::uint64_t offset) const;
  void start();
  void run();
  void settle(const Verdict& verdict);
  void on_room();
  void on_incomplete();
  void fill_gap();
  [[nodiscard]] bool pass(std::uint64_t& zeros, std::span<const std::byte> bytes);
  void advance(Answers& answers);
  void ask();

  const std::size_t capacity_;
  const Hooks hooks_;
  mutable std::mutex mutex_;                  // taken before the pipe's
  std::unique_ptr<importer::BytePipe> pipe_;  // from the first byte on
  std::optional<Verdict> verdict_;
  std::deque<Piece> queue_;
  std::vector<Flush> flushes_;
  std::uint64_t accepted_ = 0;  // the next offset that may be written
  std::uint64_t size_ = 0;      // what truncate(2) said, when it is more
  bool sized_last_ = false;     // truncate(2) came after the last write
  Closing closing_ = Closing::no;
  bool ending_ = false;  // nothing more will come
  bool asked_ = false;   // the pipe has a question for the import
  bool asked_end_ = false;
  Clock::time_point last_write_ = Clock::now();
};

using UploadPtr = std::shared_ptr<Upload>;

}  // namespace imagefs::fs
