#include "importer/decoded_source.h"

#include <algorithm>
#include <cerrno>

#include "blobstore/error.h"

namespace imagefs::importer {

DecodedSource::DecodedSource(ByteSource& stored, Compression compression, const Limits& limits)
    : stored_(stored),
      limits_(limits),
      ratio_after_(std::min(limits.ratio_after, kMaxRatioAfter)),
      decoder_(Decoder::make(compression)) {}

std::span<const std::byte> DecodedSource::next() {
  stored_.check();
  for (;;) {
    if (waiting_.empty() && !more_) waiting_ = stored_.next();
    if (waiting_.empty() && !more_) return {};
    const Decoder::Part part = decoder_->decode(waiting_);
    waiting_ = waiting_.subspan(part.consumed);
    stored_bytes_ += part.consumed;
    more_ = part.more;
    if (part.block.empty()) continue;
    count(part.block.size());
    return part.block;
  }
}

void DecodedSource::count(std::size_t decoded) {
  decoded_bytes_ += decoded;
  if (decoded_bytes_ > limits_.max_archive) {
    throw Error(EFBIG, "the archive has more than " + std::to_string(limits_.max_archive) +
                           " bytes when decompressed");
  }
  if (decoded_bytes_ <= ratio_after_) return;
  if (limits_.over_ratio(stored_bytes_, decoded_bytes_)) {
    throw Error(EFBIG, "the archive decompresses to more than " +
                           std::to_string(limits_.max_ratio) + " times its size (max_ratio)");
  }
}

}  // namespace imagefs::importer
