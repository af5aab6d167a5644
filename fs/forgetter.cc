#include "fs/forgetter.h"

#include <utility>

namespace imagefs::fs {

Forgetter::Forgetter(std::function<void(const Name&)> tell)
    : tell_(std::move(tell)), thread_([this] { run(); }) {}

Forgetter::~Forgetter() { stop(); }

void Forgetter::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

void Forgetter::forget(const std::vector<Name>& names) {
  const std::lock_guard lock(mutex_);
  if (stopped_) return;
  names_.insert(names_.end(), names.begin(), names.end());
  changed_.notify_all();
}

void Forgetter::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stopped_ || !names_.empty(); });
    if (stopped_) return;
    const Name name = std::move(names_.front());
    names_.pop_front();
    lock.unlock();
    tell_(name);
    lock.lock();
  }
}

}  // namespace imagefs::fs
