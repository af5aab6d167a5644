#include "importer/decoder_memory.h"

#include <algorithm>
#include <cerrno>
#include <map>
#include <string>

#include "blobstore/error.h"

namespace imagefs::importer {
namespace {

// Of each budget that this thread holds some of.
thread_local std::map<const DecoderMemory*, std::size_t> held_by_thread;
thread_local int reading = 0;
thread_local std::function<void()> check_cancelled;

constexpr std::size_t kTotal = std::size_t{160} << 20;
constexpr std::chrono::minutes kPatience{5};
constexpr std::chrono::milliseconds kCheckEvery{50};

std::string mebibytes(std::size_t bytes) { return std::to_string(bytes >> 20) + " MiB"; }

[[noreturn]] void throw_occupied(std::size_t bytes) {
  throw Error(ENOMEM, "decompression needs " + mebibytes(bytes) +
                          " of memory, which other imports did not leave in time; try again later");
}

}  // namespace

DecoderMemory& DecoderMemory::process() {
  static DecoderMemory imports(kTotal, kPatience, 0);
  static DecoderMemory layers(kTotal, kPatience, 1);
  static DecoderMemory readers(kTotal, kPatience, 2);
  if (reading > 0) return readers;
  return held_by_thread.empty() ? imports : layers;
}

DecoderMemory::Cancellation::Cancellation(std::function<void()> check) {
  check_cancelled = std::move(check);
}
DecoderMemory::Cancellation::~Cancellation() { check_cancelled = nullptr; }

DecoderMemory::Reading::Reading() noexcept { ++reading; }
DecoderMemory::Reading::~Reading() { --reading; }

void DecoderMemory::check_total(std::size_t bytes) const {
  if (bytes <= total_) return;
  throw Error(ENOMEM, "decompression needs " + mebibytes(bytes) + " of memory, more than the " +
                          mebibytes(total_) + " there are");
}

DecoderMemory::Lease DecoderMemory::acquire(std::size_t bytes, Lease before) {
  check_total(bytes);
  std::unique_lock lock(mutex_);
  if (before.memory_ == this) {
    before.memory_ = nullptr;
    give_back(before.bytes_);
  }
  if (!wait_for_room(lock, bytes)) throw_occupied(bytes);
  take(bytes);
  return {this, bytes};
}

DecoderMemory::Lease DecoderMemory::acquire(std::size_t bytes) { return acquire(bytes, Lease()); }

bool DecoderMemory::wait_for_room(std::unique_lock<std::mutex>& lock, std::size_t bytes) {
  using Clock = std::chrono::steady_clock;
  const auto fits = [&] { return held_ + bytes <= total_; };
  if (fits() || !may_wait()) return fits();
  for (const auto end = Clock::now() + patience_; Clock::now() < end;) {
    if (released_.wait_until(lock, std::min(end, Clock::now() + kCheckEvery), fits)) return true;
    if (!check_cancelled) continue;
    lock.unlock();
    check_cancelled();
    lock.lock();
  }
  return fits();
}

bool DecoderMemory::may_wait() const {
  return std::ranges::none_of(held_by_thread,
                              [this](const auto& held) { return held.first->order_ >= order_; });
}

void DecoderMemory::take(std::size_t bytes) {
  held_by_thread[this] += bytes;
  held_ += bytes;
}

void DecoderMemory::give_back(std::size_t bytes) noexcept {
  const auto own = held_by_thread.find(this);
  own->second -= bytes;
  if (own->second == 0) held_by_thread.erase(own);
  held_ -= bytes;
  released_.notify_all();
}

void DecoderMemory::release(std::size_t bytes) noexcept {
  const std::lock_guard lock(mutex_);
  give_back(bytes);
}

void DecoderMemory::Lease::extend(std::size_t bytes) {
  memory_->check_total(bytes_ + bytes);
  const std::lock_guard lock(memory_->mutex_);
  if (memory_->held_ + bytes > memory_->total_) throw_occupied(bytes_ + bytes);
  memory_->take(bytes);
  bytes_ += bytes;
}

DecoderMemory::Lease& DecoderMemory::Lease::operator=(Lease&& other) noexcept {
  if (this == &other) return *this;
  release();
  memory_ = std::exchange(other.memory_, nullptr);
  bytes_ = std::exchange(other.bytes_, 0);
  return *this;
}

void DecoderMemory::Lease::release() noexcept {
  if (memory_ != nullptr) memory_->release(bytes_);
  memory_ = nullptr;
  bytes_ = 0;
}

}  // namespace imagefs::importer
