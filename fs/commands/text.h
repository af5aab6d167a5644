// Text for a terminal.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace imagefs::fs::commands {

// `text` with its control characters as \xNN: what strangers chose must not steer a terminal.
[[nodiscard]] std::string printable(std::string_view text);

using Row = std::vector<std::string>;
// Columns as wide as their widest cell, two spaces between them, each row a line.
[[nodiscard]] std::string aligned(const std::vector<Row>& rows);

// "1 image", "2 images".
[[nodiscard]] std::string counted(std::uint64_t count, const std::string& noun);

// Writes "imagefs: <sentence>" to standard error.
void report(std::string_view sentence);

}  // namespace imagefs::fs::commands
