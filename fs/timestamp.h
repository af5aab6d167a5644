// RFC 3339 times, as annotations have them.
#pragma once

#include <ctime>
#include <optional>
#include <string>

namespace imagefs::fs {

// "2024-05-01T12:00:00[.123]Z" or with an offset instead of the Z. Nothing for any other text.
[[nodiscard]] std::optional<timespec> parse_timestamp(const std::string& text);
// In UTC, whole seconds.
[[nodiscard]] std::string format_timestamp(std::time_t time);

}  // namespace imagefs::fs
