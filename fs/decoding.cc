#include "fs/decoding.h"

#include <unistd.h>

#include <cerrno>
#include <exception>

#include "blobstore/blob_files.h"
#include "fs/as_error.h"
#include "fs/layer_bytes.h"
#include "fs/layer_failure.h"
#include "fs/log.h"
#include "importer/free_space.h"
#include "importer/layer_reader.h"

namespace imagefs::fs {
namespace {

constexpr std::uint64_t kCheckEvery = 16 << 20;  // bytes between two looks at the disk

Error not_yet() { return {EAGAIN, "these bytes are not decoded yet"}; }

}  // namespace

bool Decoding::ready(std::uint64_t end) const {
  const std::lock_guard lock(mutex_);
  return readable_ >= end;
}

void Decoding::await(std::uint64_t end, const Patience& patience) const {
  std::unique_lock lock(mutex_);
  wait_patiently(lock, ended_, patience, [&] { return failure_ || readable_ >= end; });
  if (readable_ < end) throw Error(*failure_);
}

void Decoding::read(std::span<std::byte> into, std::uint64_t offset) const {
  FilePtr file;
  {
    const std::lock_guard lock(mutex_);
    if (readable_ < offset + into.size()) throw failure_.value_or(not_yet());
    file = file_;
  }
  read_fully(file->fd(), into, offset);
}

bool Decoding::may_be_tried_again() const {
  const std::lock_guard lock(mutex_);
  return again_;
}

void Decoding::run() noexcept {
  try {
    decode();
    end(Error(EBADMSG, "a layer ends before its files do"));
  } catch (...) {
    const Error failure = as_error(std::current_exception());
    if (!given_up_) log(LOG_WARNING, "layer " + source_->layer.str() + ": " + failure.sentence());
    end(failure);
  }
}

void Decoding::end(const Error& failure) {
  const bool lasting = is_of_the_layer(failure);
  FilePtr dropped;
  const std::lock_guard lock(mutex_);
  failure_.emplace(lasting ? EIO : failure.errno_value(), failure.sentence());
  ended_.notify_all();
  if (lasting) return;
  again_ = true;
  readable_ = 0;
  dropped.swap(file_);
}

void Decoding::decode() {
  const Source& source = *source_;
  const auto room =
      source.directory ? source.room->take(source.directory.get(), source.size) : std::nullopt;
  const auto file =
      std::make_shared<importer::CacheFile>(source.directory ? source.directory.get() : -1);
  std::uint64_t written = 0;
  const std::uint64_t decoded =
      importer::read_layer(source.blob.get(), source.size, [&](std::span<const std::byte> bytes) {
        write(file->fd(), bytes, written);
        written += bytes.size();
        return !given_up_;
      });
  if (decoded != source.size || given_up_) return;
  check_stored();
  {
    const std::lock_guard lock(mutex_);
    file_ = file;
    readable_ = decoded;
    ended_.notify_all();
  }
  if (!room) return;
  // A name must not outlive its bytes in a power failure.
  if (::fdatasync(file->fd()) != 0) throw_errno("a decoded layer");
  file->publish(source.directory.get(), source.layer.hex());
  published_ = true;
}

// Other layers can be decoded again.
void Decoding::leave_min_free(int fd) const {
  if (!importer::has_free(fd, source_->min_free)) evict_layers(source_->directory.get(), 0);
  importer::require_free(fd, source_->min_free);
}

void Decoding::write(int fd, std::span<const std::byte> bytes, std::uint64_t offset) const {
  if (source_->directory && offset % kCheckEvery < bytes.size()) leave_min_free(fd);
  importer::write_at(fd, bytes.data(), bytes.size(), offset);
}

// Not all formats have a checksum.
void Decoding::check_stored() const {
  const auto found = blobstore::hash_file(source_->blob.get(), "a layer", [this](auto, auto) {
    if (given_up_) throw Error(ECANCELED, "nobody wants it any more");
  });
  if (found != source_->layer) throw Error(EBADMSG, "its bytes hash to " + found.str());
}

}  // namespace imagefs::fs
