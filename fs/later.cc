#include "fs/later.h"

#include <cerrno>
#include <exception>
#include <utility>

#include "blobstore/error.h"

namespace imagefs::fs {

Later::~Later() {
  end();
  join();
}

void Later::add(std::unique_ptr<Waiting> waiting) {
  if (!join_line(waiting)) return waiting->refuse(ESHUTDOWN);
  start_thread();
}

bool Later::join_line(std::unique_ptr<Waiting>& waiting) {
  const std::lock_guard lock(mutex_);
  if (ended_) return false;
  line_.push_back(std::move(waiting));
  return true;
}

void Later::start_thread() {
  {
    const std::lock_guard lock(mutex_);
    if (serving_ == most_ || line_.empty()) return;
    ++serving_;
  }
  try {
    threads_.start([this] { serve(); });
  } catch (const std::exception&) {  // no thread, or no memory
    Line refused;
    {
      const std::lock_guard lock(mutex_);
      if (--serving_ == 0) refused.swap(line_);  // nobody else would come for them
    }
    for (const auto& waiting : refused) waiting->refuse(EAGAIN);
  }
}

void Later::serve() {
  while (const std::unique_ptr<Waiting> waiting = next()) {
    waiting->answer([&] { check(*waiting); });
  }
}

std::unique_ptr<Later::Waiting> Later::next() {
  const std::lock_guard lock(mutex_);
  if (line_.empty()) {
    --serving_;
    return nullptr;
  }
  std::unique_ptr<Waiting> first = std::move(line_.front());
  line_.pop_front();
  return first;
}

void Later::check(const Waiting& waiting) {
  if (ended_) throw Error(ESHUTDOWN, "the mount is going away");
  if (waiting.abandoned()) throw Error(EINTR, "the caller is being killed");
  let_go_abandoned();
}

// Those who stand in line: nobody but who waits already looks after them.
void Later::let_go_abandoned() {
  Line abandoned;
  {
    const std::lock_guard lock(mutex_);
    for (auto& each : line_) {
      if (each->abandoned()) abandoned.push_back(std::move(each));
    }
    std::erase(line_, nullptr);
  }
  for (const auto& waiting : abandoned) waiting->refuse(EINTR);
}

void Later::end() {
  Line refused;
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    refused.swap(line_);
  }
  for (const auto& waiting : refused) waiting->refuse(ESHUTDOWN);
}

}  // namespace imagefs::fs
