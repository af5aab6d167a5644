#include "importer/layer_xattrs.h"

#include <string_view>

namespace imagefs::importer {
namespace {

bool is_shown(std::string_view name) {
  if (name == "security.capability") return true;
  const bool overlays_own =
      name.starts_with("user.overlay.") || name.starts_with("user.fuseoverlayfs.");
  return name.size() > 5 && name.starts_with("user.") && !overlays_own &&
         name.find('\0') == std::string_view::npos;
}

}  // namespace

ShownXattrs shown_xattrs(const std::map<std::string, std::string>& xattrs) {
  ShownXattrs shown;
  for (const auto& [name, value] : xattrs) {
    if (!is_shown(name)) continue;
    const bool fits = name.size() <= kMaxXattrName && value.size() <= kMaxXattrValue &&
                      shown.xattrs.size() < kMaxXattrs;
    if (fits) {
      shown.xattrs.emplace_back(name, value);
    } else {
      ++shown.over_limit;
    }
  }
  return shown;
}

}  // namespace imagefs::importer
