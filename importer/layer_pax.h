// The records of a PAX extended header (POSIX.1-2001 pax), as Go's archive/tar reads them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace imagefs::importer {

using PaxRecords = std::map<std::string, std::string, std::less<>>;

// The offset and numbytes records of GNU sparse 0.0 become one GNU.sparse.map, as 0.1 has it.
// Throws Error{EBADMSG} for malformed records, and for a NUL in a name.
[[nodiscard]] PaxRecords parse_pax(std::string_view text);
// The value of `key`; nothing when it is absent or empty: the header block's value stands then.
[[nodiscard]] std::optional<std::string_view> find_pax(const PaxRecords& records,
                                                       std::string_view key);

// A signed decimal number. Throws Error{EBADMSG}, also for more than 63 bits.
[[nodiscard]] std::int64_t parse_decimal(std::string_view text);

struct TarTime {
  std::int64_t seconds = 0;
  std::uint32_t nanoseconds = 0;  // below 10^9

  bool operator==(const TarTime&) const = default;
};
// "[-]seconds[.fraction]"; seconds beyond 63 bits are clamped. Throws Error{EBADMSG}.
[[nodiscard]] TarTime parse_pax_time(std::string_view text);

}  // namespace imagefs::importer
