// The decoded bytes of a compressed archive.
//
// Memory: the decoder's. Thread safety: as any ByteSource.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "importer/byte_source.h"
#include "importer/decoder.h"
#include "importer/limits.h"

namespace imagefs::importer {

class DecodedSource final : public ByteSource {
 public:
  // `stored` and `limits` must outlive it.
  DecodedSource(ByteSource& stored, Compression compression, const Limits& limits);

  // Throws Error: EFBIG (max_archive, max_ratio), and what the decoder and `stored` throw. The end
  // of `stored` within a member or frame is the end here too.
  [[nodiscard]] std::span<const std::byte> next() override;
  // What follows is padding: max_ratio does not count for the next kMaxRatioAfter bytes of it.
  void expect_padding() { ratio_after_ = std::max(ratio_after_, decoded_bytes_ + kMaxRatioAfter); }
  // Whether what was read ends after a whole member or frame. Throws as Decoder::at_end().
  [[nodiscard]] bool at_end() const { return decoder_->at_end(); }

 private:
  void count(std::size_t decoded);

  ByteSource& stored_;
  const Limits& limits_;
  std::uint64_t ratio_after_;
  std::unique_ptr<Decoder> decoder_;
  std::span<const std::byte> waiting_;  // stored, and not decoded yet
  bool more_ = false;                   // the decoder has more of what it was given
  std::uint64_t stored_bytes_ = 0;
  std::uint64_t decoded_bytes_ = 0;
};

}  // namespace imagefs::importer
