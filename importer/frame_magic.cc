#include "importer/frame_magic.h"

namespace imagefs::importer {
namespace {

bool agree(std::span<const std::byte> start, std::uint32_t magic, std::uint32_t ignored) {
  const std::uint64_t there = (1ULL << (8 * start.size())) - 1;
  return ((little_endian(start) ^ magic) & there & ~std::uint64_t{ignored}) == 0;
}

}  // namespace

std::uint64_t little_endian(std::span<const std::byte> bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) {
    value = value << 8 | std::to_integer<std::uint64_t>(bytes[i]);
  }
  return value;
}

bool is_skippable(std::span<const std::byte> start) { return agree(start, kSkippableMagic, 15); }

bool may_begin_frame(std::span<const std::byte> start, std::uint32_t magic) {
  return agree(start, magic, 0) || is_skippable(start);
}

}  // namespace imagefs::importer
