// Which extended attributes of a layer's entries are shown.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace imagefs::importer {

inline constexpr std::size_t kMaxXattrs = 64;            // of one entry
inline constexpr std::size_t kMaxXattrName = 255;        // bytes, XATTR_NAME_MAX
inline constexpr std::size_t kMaxXattrValue = 64 << 10;  // bytes, XATTR_SIZE_MAX

struct ShownXattrs {
  std::vector<std::pair<std::string, std::string>> xattrs;
  std::size_t over_limit = 0;  // how many were left out because of a limit
};
// user.* and security.capability; not what overlay filesystems keep there (user.overlay.* …).
[[nodiscard]] ShownXattrs shown_xattrs(const std::map<std::string, std::string>& xattrs);

}  // namespace imagefs::importer
