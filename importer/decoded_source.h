// The decoded bytes of a compressed archive.
//
// Memory: the decoder's, and what a few hundred compressed bytes can become. Thread safety: as any
// ByteSource.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

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
  // Whether what was read ends after a whole member or frame.
  [[nodiscard]] bool at_end() const { return decoder_->at_end(); }

 private:
  void take(std::span<const std::byte> decoded);

  ByteSource& stored_;
  const Limits& limits_;
  const std::size_t slice_;  // bytes given to the decoder at a time
  std::unique_ptr<Decoder> decoder_;
  std::span<const std::byte> waiting_;  // stored, and not decoded yet
  std::vector<std::byte> buffer_;
  std::uint64_t stored_bytes_ = 0;
  std::uint64_t decoded_bytes_ = 0;
};

}  // namespace imagefs::importer
