// Names of a layer's entries: cleaned, and turned into keys of directories.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace imagefs::importer {

// Identifies a directory by its path: the start of a SHA-256 over the parent's key and the name.
// The same path has the same key in every layer.
using DirectoryKey = std::array<std::uint8_t, 16>;

[[nodiscard]] const DirectoryKey& root_key();
// The key of what would be the root's parent; the root stands in it under an empty name.
[[nodiscard]] const DirectoryKey& above_root();
[[nodiscard]] DirectoryKey child_key(const DirectoryKey& parent, std::string_view name);

inline constexpr std::size_t kMaxComponent = 255;  // bytes, NAME_MAX
inline constexpr std::size_t kMaxDepth = 1U << 14;

struct LayerPath {
  std::vector<std::string_view> components;  // none: the root; they point into the name
  std::string problem;                       // why the name cannot be shown; empty: it can

  [[nodiscard]] std::string str() const;  // joined by slashes
};
// Takes absolute names as relative to the root, and drops empty components and ".".
[[nodiscard]] LayerPath clean_path(std::string_view name);

// For a note: in quotes, with escapes for what is not printable, cut when long.
[[nodiscard]] std::string quoted(std::string_view name);

}  // namespace imagefs::importer
