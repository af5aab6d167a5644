// Names of an archive's entries. They are keys to look up, never paths on a disk.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace imagefs::importer {

// "./a//b/../c" is "a/c". Nothing for a name that is absolute, leads upwards or names nothing.
[[nodiscard]] std::optional<std::string> clean_name(std::string_view name);

// What a symlink called `name` (clean) with `target` points at; nothing when that is outside.
[[nodiscard]] std::optional<std::string> link_target(std::string_view name,
                                                     std::string_view target);

// "a/b/c" without its last component: "a/b"; "" for "c".
[[nodiscard]] std::string_view parent_name(std::string_view name);
[[nodiscard]] std::string_view base_name(std::string_view name);

}  // namespace imagefs::importer
