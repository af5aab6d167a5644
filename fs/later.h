// The one place where requests wait.
//
// A thread that serves the mount must never wait, or a few readers of something slow hold up
// everybody. A request whose answer is not at hand (bytes of a layer that is still being decoded,
// an index that has to be made, an archive that is published at its rename) comes here and waits in
// a thread of its own. There are only so many of these; what comes then stands in line, because
// whoever reads a file does not expect EAGAIN. So what waits for one thing must not stand behind
// what waits for another: each kind has a Later of its own.
//
// Each request gets its answer: soon when its caller is being killed or the mount goes away.
//
// Thread safety: every member from any thread.
#pragma once

#include <atomic>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>

#include "fs/patience.h"
#include "fs/threads.h"

namespace imagefs::fs {

class Later {
 public:
  // A request that waits. It is given its answer once: by one of the first two.
  class Waiting {
   public:
    virtual ~Waiting() = default;
    // Waits for what the request is about, and answers it. Also what `patience` throws is an
    // answer.
    virtual void answer(const Patience& patience) noexcept = 0;
    virtual void refuse(int errno_value) noexcept = 0;
    // Whether its caller is being killed, and waits for nothing but an answer.
    [[nodiscard]] virtual bool abandoned() const = 0;
  };

  // `most`: threads at once.
  explicit Later(std::size_t most) : most_(most) {}
  Later(const Later&) = delete;
  Later& operator=(const Later&) = delete;
  ~Later();

  // Refused with ESHUTDOWN after end(), and with EAGAIN when no thread can be had.
  void add(std::unique_ptr<Waiting> waiting);
  // From now on nobody waits: who does is answered within a patience's period.
  void end();
  // After end(): returns when all have been answered.
  void join() { threads_.join(); }

 private:
  using Line = std::deque<std::unique_ptr<Waiting>>;

  // Takes it when it returns true.
  [[nodiscard]] bool join_line(std::unique_ptr<Waiting>& waiting);
  void serve();
  [[nodiscard]] std::unique_ptr<Waiting> next();
  void start_thread();
  void check(const Waiting& waiting);
  void let_go_abandoned();

  const std::size_t most_;
  std::atomic<bool> ended_ = false;
  std::mutex mutex_;  // of what follows
  Line line_;         // who has no thread yet
  std::size_t serving_ = 0;
  Threads threads_;
};

}  // namespace imagefs::fs
