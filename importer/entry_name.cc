#include "importer/entry_name.h"

#include <algorithm>
#include <vector>

namespace imagefs::importer {

std::optional<std::string> clean_name(std::string_view name) {
  if (name.starts_with('/')) return std::nullopt;
  std::vector<std::string_view> components;
  while (!name.empty()) {
    const std::string_view component = name.substr(0, name.find('/'));
    name.remove_prefix(std::min(name.size(), component.size() + 1));
    if (component.empty() || component == ".") continue;
    if (component != "..") {
      components.push_back(component);
    } else if (components.empty()) {
      return std::nullopt;
    } else {
      components.pop_back();
    }
  }
  std::string result;
  for (const std::string_view component : components) {
    if (!result.empty()) result += '/';
    result += component;
  }
  if (result.empty()) return std::nullopt;
  return result;
}

std::optional<std::string> link_target(std::string_view name, std::string_view target) {
  if (target.starts_with('/')) return std::nullopt;
  const std::string_view parent = parent_name(name);
  if (parent.empty()) return clean_name(target);
  return clean_name(std::string(parent) + "/" + std::string(target));
}

std::string_view parent_name(std::string_view name) {
  const std::size_t slash = name.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : name.substr(0, slash);
}

std::string_view base_name(std::string_view name) { return name.substr(name.rfind('/') + 1); }

}  // namespace imagefs::importer
