// Threads that come and go: each is joined, at the latest when this object ends.
//
// Thread safety: start() may be called from any thread.
#pragma once

#include <condition_variable>
#include <functional>
#include <list>
#include <mutex>
#include <thread>

namespace imagefs::fs {

class Threads {
 public:
  Threads() = default;
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;
  ~Threads() { join(); }

  // `work` must not throw. Throws std::system_error{EAGAIN} when no thread can be had.
  void start(std::function<void()> work);
  // Waits for all that were started.
  void join();

 private:
  void join_finished();

  std::mutex mutex_;
  std::condition_variable ended_;
  std::list<std::thread> running_;
  std::list<std::thread> finished_;
};

}  // namespace imagefs::fs
