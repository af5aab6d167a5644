#include "fs/forgetter.h"

#include <utility>

namespace imagefs::fs {

Forgetter::Forgetter(std::function<void(const Name&)> tell)
    : tell_(std::move(tell)), thread_([this] { run(); }) {}

Forgetter::~Forgetter() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    changed_.notify_all();
  }
  thread_.join();
}

void Forgetter::forget(const std::vector<Name>& names) {
  const std::lock_guard lock(mutex_);
  names_.insert(names_.end(), names.begin(), names.end());
  changed_.notify_all();
}

void Forgetter::run() {
  std::unique_lock lock(mutex_);
  while (!stopped_) {
    changed_.wait(lock, [this] { return stopped_ || !names_.empty(); });
    const std::vector<Name> names = std::exchange(names_, {});
    lock.unlock();
    for (const Name& name : names) tell_(name);
    lock.lock();
  }
}

}  // namespace imagefs::fs
