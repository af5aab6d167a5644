#include "fs/index_maker.h"

#include <cerrno>
#include <exception>
#include <utility>

#include "fs/as_error.h"
#include "fs/layer_failure.h"

namespace imagefs::fs {

using blobstore::Digest;

IndexMaker::IndexPtr IndexMaker::make(const Digest& layer, const Patience& patience) {
  std::unique_lock lock(mutex_);
  const WantedPtr wanted = want(layer);
  wait_patiently(lock, decided_, patience, [&] { return wanted->decided; });
  if (wanted->failure) throw Error(*wanted->failure);
  return wanted->index;
}

IndexMaker::WantedPtr IndexMaker::want(const Digest& layer) {
  const auto known = wanted_.find(layer);
  if (known != wanted_.end()) return known->second;
  const auto wanted = std::make_shared<Wanted>();
  line_.push_back(layer);
  try {
    wanted_.emplace(layer, wanted);
    if (!serving_) start_thread();
  } catch (...) {
    line_.pop_back();
    wanted_.erase(layer);
    throw;
  }
  return wanted;
}

void IndexMaker::start_thread() {
  thread_.start([this] { serve(); });
  serving_ = true;
}

void IndexMaker::serve() {
  while (const std::optional<Digest> layer = next()) {
    IndexPtr index;
    std::optional<Error> failure;
    try {
      index = make_(*layer);
    } catch (...) {
      failure = as_error(std::current_exception());
    }
    decide(*layer, std::move(index), failure);
  }
}

std::optional<Digest> IndexMaker::next() {
  const std::lock_guard lock(mutex_);
  serving_ = !line_.empty();
  if (!serving_) return std::nullopt;
  const Digest first = line_.front();
  line_.pop_front();
  return first;
}

// Whoever asks from now on is told of a failure only if it lasts.
void IndexMaker::decide(const Digest& layer, IndexPtr index, const std::optional<Error>& failure) {
  const bool lasting = failure && is_of_the_layer(*failure);
  const std::lock_guard lock(mutex_);
  const auto at = wanted_.find(layer);
  Wanted& wanted = *at->second;
  wanted.decided = true;
  wanted.index = std::move(index);
  if (failure) {
    wanted.failure.emplace(lasting ? EIO : failure->errno_value(), failure->sentence());
  }
  decided_.notify_all();
  if (!lasting) wanted_.erase(at);
}

}  // namespace imagefs::fs
