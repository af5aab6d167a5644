#include "fs/decoded_layer.h"

#include <unistd.h>

#include <cerrno>

#include "fs/layer_eviction.h"
#include "fs/log.h"
#include "importer/layer_reader.h"

namespace imagefs::fs {

DecodedLayer::~DecodedLayer() {
  {
    const std::lock_guard lock(mutex_);
    given_up_ = true;
  }
  if (thread_.joinable()) thread_.join();
}

void DecodedLayer::read(std::span<std::byte> into, std::uint64_t offset) {
  if (into.empty()) return;
  const std::uint64_t end = offset + into.size();
  std::unique_lock lock(mutex_);
  if (!thread_.joinable()) start();
  progress_.wait(lock, [&] { return failure_ || decoded_ >= end; });
  if (decoded_ < end) throw Error(EIO, failure_->sentence());
  const int fd = file_->fd();
  lock.unlock();
  read_fully(fd, into, offset);
}

void DecodedLayer::start() {
  thread_ = std::thread([this] { run(); });
}

void DecodedLayer::run() {
  std::optional<Error> failure;
  try {
    decode();
  } catch (const Error& error) {
    failure = error;
  } catch (const std::exception& error) {
    failure.emplace(EIO, error.what());
  }
  if (failure) log(LOG_WARNING, "layer sha256:" + source_.name + ": " + failure->sentence());
  const std::lock_guard lock(mutex_);
  // Whoever wants more than there is waits in vain.
  failure_ = failure ? *failure : Error(EIO, "a layer ends before its files do");
  progress_.notify_all();
}

void DecodedLayer::decode() {
  const bool kept = source_.directory && source_.size <= source_.max_cache;
  if (kept) evict_layers(source_.directory.get(), source_.max_cache - source_.size);
  {
    importer::CacheFile file(source_.directory ? source_.directory.get() : -1);
    const std::lock_guard lock(mutex_);
    file_.emplace(std::move(file));
  }
  const std::uint64_t decoded =
      importer::read_layer(source_.blob.get(), source_.size,
                           [this](std::span<const std::byte> bytes) { return take(bytes); });
  if (decoded != source_.size || !kept) return;
  // A name must not outlive its bytes in a power failure.
  if (::fdatasync(file_->fd()) != 0) throw_errno("a decoded layer");
  file_->publish(source_.directory.get(), source_.name);
}

bool DecodedLayer::take(std::span<const std::byte> bytes) {
  importer::write_at(file_->fd(), bytes.data(), bytes.size(), decoded_);
  const std::lock_guard lock(mutex_);
  decoded_ += bytes.size();
  progress_.notify_all();
  return !given_up_;
}

}  // namespace imagefs::fs
