#include "importer/decoded_source.h"

#include <algorithm>
#include <cerrno>

#include "blobstore/error.h"

namespace imagefs::importer {
namespace {

constexpr std::size_t kEnough = 256U << 10;  // bytes that a call gives out, when there are so many
constexpr std::size_t kMostKept = 4U << 20;  // bytes of a buffer that is used again
// Decoded bytes before the ratio counts. Not as many as of a layer: these are written to the store.
constexpr std::uint64_t kFree = 64U << 20;

// A zstd block of 4 bytes can become 128 KiB, a bzip2 block of 45 bytes 45 MB; xz knows 1:7000, the
// others 1:1032 at most.
std::size_t slice_of(Compression compression) {
  if (compression == Compression::bzip2) return 64;
  return compression == Compression::zstd || compression == Compression::xz ? 256 : 4096;
}

}  // namespace

DecodedSource::DecodedSource(ByteSource& stored, Compression compression, const Limits& limits)
    : stored_(stored),
      limits_(limits),
      slice_(slice_of(compression)),
      decoder_(Decoder::make(compression)) {}

std::span<const std::byte> DecodedSource::next() {
  if (buffer_.capacity() > kMostKept) buffer_ = {};
  buffer_.clear();
  while (buffer_.size() < kEnough) {
    if (waiting_.empty()) {
      if (!buffer_.empty()) break;
      waiting_ = stored_.next();
      if (waiting_.empty()) break;
    }
    const auto slice = waiting_.first(std::min(waiting_.size(), slice_));
    waiting_ = waiting_.subspan(slice.size());
    stored_bytes_ += slice.size();
    decoder_->append(slice, [this](std::span<const std::byte> decoded) { take(decoded); });
  }
  return buffer_;
}

void DecodedSource::take(std::span<const std::byte> decoded) {
  decoded_bytes_ += decoded.size();
  if (decoded_bytes_ > limits_.max_archive) {
    throw Error(EFBIG, "the archive has more than " + std::to_string(limits_.max_archive) +
                           " bytes when decompressed");
  }
  if (decoded_bytes_ > kFree && limits_.over_ratio(stored_bytes_, decoded_bytes_)) {
    throw Error(EFBIG, "the archive decompresses to more than " +
                           std::to_string(limits_.max_ratio) + " times its size");
  }
  buffer_.insert(buffer_.end(), decoded.begin(), decoded.end());
}

}  // namespace imagefs::importer
