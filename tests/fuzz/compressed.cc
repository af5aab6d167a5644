// Whatever the compression, the size of the pieces in which bytes come makes no difference.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <span>
#include <string>

#include "blobstore/error.h"
#include "importer/decoder.h"

namespace {

using imagefs::importer::Compression;
using imagefs::importer::Decoder;

constexpr std::size_t kEnough = 4 << 20;  // decoded bytes: a bomb need not be decoded whole

struct Decoded {
  std::string bytes;
  bool at_end = false;
};

std::optional<Decoded> decode(Compression compression, std::span<const std::byte> stored,
                              std::size_t piece) {
  Decoded decoded;
  try {
    const auto decoder = Decoder::make(compression);
    while (!stored.empty() && decoded.bytes.size() < kEnough) {
      const auto part = stored.first(std::min(piece, stored.size()));
      stored = stored.subspan(part.size());
      decoder->append(part, [&](std::span<const std::byte> out) {
        if (decoded.bytes.size() < kEnough)
          decoded.bytes.append(reinterpret_cast<const char*>(out.data()), out.size());
      });
    }
    decoded.at_end = decoder->at_end();
  } catch (const imagefs::Error& error) {
    if (error.sentence().empty()) std::abort();
    return std::nullopt;
  }
  return decoded;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto stored = std::as_bytes(std::span(data, size));
  const Compression compression = imagefs::importer::detect_compression(
      stored.first(std::min(size, imagefs::importer::kMagicBytes)));
  if (compression == Compression::none) return 0;
  const auto whole = decode(compression, stored, size);
  const auto pieces = decode(compression, stored, 7);
  if (whole.has_value() != pieces.has_value()) std::abort();
  if (whole && whole->bytes.size() < kEnough &&
      (whole->bytes != pieces->bytes || whole->at_end != pieces->at_end))
    std::abort();
  return 0;
}
