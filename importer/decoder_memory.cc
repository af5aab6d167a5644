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

}  // namespace

DecoderMemory& DecoderMemory::process() {
  static DecoderMemory imports(kTotal, kPatience);
  static DecoderMemory layers(kTotal, kPatience);
  static DecoderMemory readers(kTotal, kPatience);
  if (reading > 0) return readers;
  return held_by_thread.empty() ? imports : layers;
}

DecoderMemory::Cancellation::Cancellation(std::function<void()> check) {
  check_cancelled = std::move(check);
}
DecoderMemory::Cancellation::~Cancellation() { check_cancelled = nullptr; }

DecoderMemory::Reading::Reading() noexcept { ++reading; }
DecoderMemory::Reading::~Reading() { --reading; }

DecoderMemory::Lease DecoderMemory::acquire(std::size_t bytes) {
  if (bytes > total_) {
    throw Error(ENOMEM, "decompression needs " + mebibytes(bytes) + " of memory, more than the " +
                            mebibytes(total_) + " there are");
  }
  std::unique_lock lock(mutex_);
  if (!wait_for_room(lock, bytes)) {
    throw Error(ENOMEM,
                "decompression needs " + mebibytes(bytes) +
                    " of memory, which other imports did not leave in time; try again later");
  }
  held_by_thread[this] += bytes;
  held_ += bytes;
  return {this, bytes};
}

bool DecoderMemory::wait_for_room(std::unique_lock<std::mutex>& lock, std::size_t bytes) {
  using Clock = std::chrono::steady_clock;
  const auto fits = [&] { return held_ + bytes <= total_; };
  if (held_by_thread.contains(this)) return fits();
  for (const auto end = Clock::now() + patience_; Clock::now() < end;) {
    if (released_.wait_until(lock, std::min(end, Clock::now() + kCheckEvery), fits)) return true;
    if (!check_cancelled) continue;
    lock.unlock();
    check_cancelled();
    lock.lock();
  }
  return fits();
}

void DecoderMemory::release(std::size_t bytes) noexcept {
  const auto own = held_by_thread.find(this);
  own->second -= bytes;
  if (own->second == 0) held_by_thread.erase(own);
  {
    const std::lock_guard lock(mutex_);
    held_ -= bytes;
  }
  released_.notify_all();
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
