// Headers for the tar archives that we write.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace imagefs::importer {

// Bytes; headers and contents fill whole blocks. pax(1), "ustar Interchange Format".
inline constexpr std::size_t kTarBlock = 512;

enum class TarType : char { file = '0', directory = '5' };

// A block: ustar, or GNU's form for a size of 8 GiB and more. The name has at most 100 bytes. Owner
// root, mode 0644 or 0755, time 0.
[[nodiscard]] std::string tar_header(std::string_view name, TarType type, std::uint64_t size);
// How many bytes the last block of a content of `size` bytes lacks, and as many zeros.
[[nodiscard]] constexpr std::uint64_t tar_padding_size(std::uint64_t size) {
  return (kTarBlock - size % kTarBlock) % kTarBlock;
}
[[nodiscard]] std::string tar_padding(std::uint64_t size);
// The two empty blocks at the end of an archive.
[[nodiscard]] std::string tar_end();

}  // namespace imagefs::importer
