#include "fs/threads.h"

#include <utility>

namespace imagefs::fs {

void Threads::start(std::function<void()> work) {
  join_finished();
  const std::lock_guard lock(mutex_);
  const auto self = running_.emplace(running_.end());
  try {
    *self = std::thread([this, self, work = std::move(work)] {
      work();
      const std::lock_guard end_lock(mutex_);
      finished_.splice(finished_.end(), running_, self);
      ended_.notify_all();
    });
  } catch (...) {
    running_.erase(self);
    throw;
  }
}

void Threads::join_finished() {
  std::list<std::thread> finished;
  {
    const std::lock_guard lock(mutex_);
    finished.swap(finished_);
  }
  for (std::thread& thread : finished) thread.join();
}

void Threads::join() {
  {
    std::unique_lock lock(mutex_);
    ended_.wait(lock, [this] { return running_.empty(); });
  }
  join_finished();
}

}  // namespace imagefs::fs
