// How the frames of zstd and lz4 begin: with four bytes of magic, little-endian. The two share the
// skippable frames (RFC 8878, 3.1.2): 0x184D2A50 to 0x184D2A5F and a length, which decode to
// nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace imagefs::importer {

inline constexpr std::uint32_t kZstdMagic = 0xfd2fb528;
inline constexpr std::uint32_t kLz4Magic = 0x184d2204;
inline constexpr std::uint32_t kSkippableMagic = 0x184d2a50;
inline constexpr std::size_t kFrameMagicBytes = 4;
inline constexpr std::size_t kSkippableHeader = 8;  // bytes: magic and length

// `bytes`: up to 8.
[[nodiscard]] std::uint64_t little_endian(std::span<const std::byte> bytes);
// Whether `start`, up to four bytes, is what a skippable frame begins with, as far as it goes.
[[nodiscard]] bool is_skippable(std::span<const std::byte> start);
// The same of a frame of `magic` or a skippable one.
[[nodiscard]] bool may_begin_frame(std::span<const std::byte> start, std::uint32_t magic);

}  // namespace imagefs::importer
