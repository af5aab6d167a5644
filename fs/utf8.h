// UTF-8 for documents that must be valid.
#pragma once

#include <string>
#include <string_view>

namespace imagefs::fs {

// `text` with U+FFFD in place of each byte that is no part of valid UTF-8 (RFC 3629).
[[nodiscard]] std::string valid_utf8(std::string_view text);

}  // namespace imagefs::fs
