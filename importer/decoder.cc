#include "importer/decoder.h"

#include <algorithm>
#include <stdexcept>
#include <string_view>

#include "importer/decoder_formats.h"
#include "importer/frame_magic.h"

namespace imagefs::importer {
namespace {

bool starts_with(std::span<const std::byte> bytes, std::string_view magic) {
  const auto wanted = std::as_bytes(std::span(magic));
  return bytes.size() >= wanted.size() && std::ranges::equal(bytes.first(wanted.size()), wanted);
}

bool starts_with_frame(std::span<const std::byte> bytes, std::uint32_t magic) {
  return bytes.size() >= kFrameMagicBytes && little_endian(bytes.first(kFrameMagicBytes)) == magic;
}

bool starts_with_skippable_frame(std::span<const std::byte> bytes) {
  return bytes.size() >= kFrameMagicBytes && is_skippable(bytes.first(kFrameMagicBytes));
}

// What follows the skippable frames at the start, as far as it is there.
std::span<const std::byte> behind_skippable_frames(std::span<const std::byte> bytes) {
  while (starts_with_skippable_frame(bytes) && bytes.size() >= kSkippableHeader) {
    const std::uint64_t size = little_endian(bytes.subspan(kFrameMagicBytes, 4));
    if (size > bytes.size() - kSkippableHeader) return {};
    bytes = bytes.subspan(kSkippableHeader + static_cast<std::size_t>(size));
  }
  return bytes;
}

// "BZh", the block size, and the first bytes of a block's or of the end's magic. The text alone
// could be the name of a tar's first entry.
bool starts_with_bzip2(std::span<const std::byte> bytes) {
  if (bytes.size() < kMagicBytes || !starts_with(bytes, "BZh")) return false;
  if (bytes[3] < std::byte{'1'} || bytes[3] > std::byte{'9'}) return false;
  return starts_with(bytes.subspan(4), "1AY&") || starts_with(bytes.subspan(4), "\x17\x72\x45\x38");
}

}  // namespace

Compression detect_compression(std::span<const std::byte> start) {
  using namespace std::string_view_literals;
  if (starts_with(start, "\x1f\x8b\x08")) return Compression::gzip;
  if (starts_with_frame(behind_skippable_frames(start), kLz4Magic)) return Compression::lz4;
  if (starts_with_skippable_frame(start)) return Compression::zstd;
  if (starts_with_frame(start, kZstdMagic)) return Compression::zstd;
  if (starts_with(start, "\xfd\x37zXZ\0"sv)) return Compression::xz;
  if (starts_with_bzip2(start)) return Compression::bzip2;
  return Compression::none;
}

std::string name(Compression compression) {
  switch (compression) {
    case Compression::none:
      return "none";
    case Compression::gzip:
      return "gzip";
    case Compression::zstd:
      return "zstd";
    case Compression::xz:
      return "xz";
    case Compression::bzip2:
      return "bzip2";
    case Compression::lz4:
      return "lz4";
  }
  return "unknown";
}

std::unique_ptr<Decoder> Decoder::make(Compression compression) {
  switch (compression) {
    case Compression::none:
      break;
    case Compression::gzip:
      return make_gzip_decoder();
    case Compression::zstd:
      return make_zstd_decoder();
    case Compression::xz:
      return make_xz_decoder();
    case Compression::bzip2:
      return make_bzip2_decoder();
    case Compression::lz4:
      return make_lz4_decoder();
  }
  throw std::logic_error("no decoder for what is not compressed");
}

void Decoder::append(std::span<const std::byte> bytes, const Sink& sink) {
  for (bool more = !bytes.empty(); more;) {
    const Part part = decode(bytes);
    if (!part.block.empty()) sink(part.block);
    bytes = bytes.subspan(part.consumed);
    more = !bytes.empty() || part.more;
  }
}

}  // namespace imagefs::importer
