// Sizes, counts and times as people write them in options and read them on a terminal.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace imagefs::fs {

// Decimal digits only; nothing for any other text and for what does not fit.
[[nodiscard]] std::optional<std::uint64_t> parse_count(std::string_view text);
// Bytes: a count, or one followed by K, M, G or T (powers of 1024).
[[nodiscard]] std::optional<std::uint64_t> parse_size(std::string_view text);
// A count of seconds, or one followed by s, m, h, d or w.
[[nodiscard]] std::optional<std::chrono::seconds> parse_duration(std::string_view text);

// "512 B", "4.1 MiB".
[[nodiscard]] std::string format_size(std::uint64_t bytes);
// "8 s", "3 min 20 s", "2 h 5 min".
[[nodiscard]] std::string format_duration(std::chrono::seconds duration);

}  // namespace imagefs::fs
