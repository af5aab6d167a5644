// One 512-byte header block of a tar stream, read as Go's archive/tar reads it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "importer/tar_header.h"

namespace imagefs::importer {

using TarBlock = std::array<char, kTarBlock>;

enum class TarFormat { v7, ustar, star, gnu };

struct TarHeader {
  TarFormat format;
  char type;  // the type flag as it stands there
  std::string name;
  std::string link;
  std::int64_t mode;
  std::int64_t uid;
  std::int64_t gid;
  std::int64_t size;  // bytes of data in the stream
  std::int64_t mtime;
  std::int64_t major;
  std::int64_t minor;
};

[[nodiscard]] bool is_zero(const TarBlock& block);
// Throws Error{EBADMSG}: wrong checksum, a number that is none.
[[nodiscard]] TarHeader parse_header(const TarBlock& block);

// Octal, blank or NUL padded, or base-256. Throws Error{EBADMSG}, also for what exceeds 63 bits.
[[nodiscard]] std::int64_t parse_number(std::string_view field);
// Up to the first NUL.
[[nodiscard]] std::string parse_text(std::string_view field);
// Entries of these types have no data, whatever their size says.
[[nodiscard]] bool is_header_only(char type);

}  // namespace imagefs::importer
