#include "importer/decoder_memory.h"

#include <cerrno>
#include <string>

#include "blobstore/error.h"

namespace imagefs::importer {
namespace {

thread_local std::size_t held_by_thread = 0;
thread_local int reading = 0;

constexpr std::size_t kTotal = std::size_t{160} << 20;
constexpr std::chrono::minutes kPatience{5};

std::string mebibytes(std::size_t bytes) { return std::to_string(bytes >> 20) + " MiB"; }

}  // namespace

DecoderMemory& DecoderMemory::process() {
  static DecoderMemory imports(kTotal, kPatience);
  static DecoderMemory readers(kTotal, kPatience);
  return reading > 0 ? readers : imports;
}

DecoderMemory::Reading::Reading() noexcept { ++reading; }
DecoderMemory::Reading::~Reading() { --reading; }

DecoderMemory::Lease DecoderMemory::acquire(std::size_t bytes) {
  if (held_by_thread + bytes > total_) {
    throw Error(ENOMEM, "decompression needs " + mebibytes(held_by_thread + bytes) +
                            " of memory, more than the " + mebibytes(total_) + " there are");
  }
  std::unique_lock lock(mutex_);
  if (!released_.wait_for(lock, patience_, [&] { return held_ + bytes <= total_; })) {
    throw Error(ENOMEM,
                "decompression needs " + mebibytes(bytes) +
                    " of memory, which other imports did not leave in time; try again later");
  }
  held_ += bytes;
  held_by_thread += bytes;
  return {this, bytes};
}

void DecoderMemory::release(std::size_t bytes) noexcept {
  held_by_thread -= bytes;
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
