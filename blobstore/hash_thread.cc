#include "blobstore/hash_thread.h"

#include <utility>

namespace imagefs::blobstore {

HashThread::HashThread(Sha256& hash) : hash_(hash), thread_([this] { run(); }) {}

HashThread::~HashThread() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void HashThread::start(std::span<const std::byte> bytes) {
  {
    const std::lock_guard lock(mutex_);
    bytes_ = bytes;
    busy_ = true;
  }
  changed_.notify_all();
}

void HashThread::wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !busy_; });
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

void HashThread::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return busy_ || stopping_; });
    if (!busy_) return;
    lock.unlock();
    std::exception_ptr failure;
    try {
      hash_.update(bytes_);
    } catch (...) {
      failure = std::current_exception();
    }
    lock.lock();
    failure_ = failure;
    busy_ = false;
    changed_.notify_all();
  }
}

}  // namespace imagefs::blobstore
