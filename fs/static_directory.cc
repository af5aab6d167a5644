#include "fs/static_directory.h"

#include <algorithm>

#include "fs/attributes.h"

namespace imagefs::fs {
namespace {

mode_t type_of(const Node& node) { return node.attributes().st_mode & S_IFMT; }

std::uint64_t count_directories(const std::vector<StaticDirectory::Entry>& entries) {
  const auto is_directory = [](const auto& entry) { return type_of(*entry.node) == S_IFDIR; };
  return static_cast<std::uint64_t>(std::ranges::count_if(entries, is_directory));
}

}  // namespace

StaticDirectory::StaticDirectory(NodeId id, const Owner& owner, std::vector<Entry> entries,
                                 std::function<timespec()> mtime)
    : id_(id),
      owner_(owner),
      entries_(std::move(entries)),
      subdirectories_(count_directories(entries_)),
      mtime_(std::move(mtime)) {}

struct stat StaticDirectory::attributes() const {
  return directory_attributes(id_, owner_, subdirectories_, mtime_());
}

NodePtr StaticDirectory::lookup(std::string_view name) const {
  const auto found = std::ranges::find(entries_, name, &Entry::name);
  return found == entries_.end() ? nullptr : found->node;
}

void StaticDirectory::list(std::uint64_t offset,
                           const std::function<bool(const ListedName&)>& visit) const {
  for (std::uint64_t i = offset; i < entries_.size(); ++i) {
    const Entry& entry = entries_[i];
    if (!visit({entry.name, entry.node->id(), type_of(*entry.node), i + 1})) return;
  }
}

}  // namespace imagefs::fs
