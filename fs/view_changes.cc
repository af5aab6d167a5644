#include "fs/view_changes.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "fs/platforms_directory.h"

namespace imagefs::fs {
namespace {

constexpr std::string_view kRoot = "images";

bool same_time(const timespec& a, const timespec& b) {
  return std::tie(a.tv_sec, a.tv_nsec) == std::tie(b.tv_sec, b.tv_nsec);
}

bool same_names(const ViewDirectory& a, const ViewDirectory& b) {
  return std::ranges::equal(a.children, b.children, [](const auto& one, const auto& other) {
    return one.first == other.first && one.second.id == other.second.id;
  });
}

class Comparison {
 public:
  Tree::Changes run(const View& before, const View& after) {
    compare(*before.directory(kRoot), *after.directory(kRoot));
    return std::move(changes_);
  }

 private:
  void compare(const ViewDirectory& before, const ViewDirectory& after) {
    if (!same_names(before, after) || !same_time(before.mtime, after.mtime)) {
      changes_.directories.push_back(before.id);
    }
    for (const auto& [name, child] : before.children) {
      const auto now = after.children.find(name);
      if (now == after.children.end() || now->second.id != child.id) {
        changed(child);
      } else if (child.directory && now->second.directory) {
        compare(*child.directory, *now->second.directory);
      } else if (child.image && !same_time(child.image->imported, now->second.image->imported)) {
        imported_again(before.path + "/" + name, child);
      }
    }
  }

  // Its name is gone, or leads to another node.
  void changed(const ViewChild& child) {
    if (!child.directory) return;
    changes_.directories.push_back(child.id);
    for (const auto& [below, grandchild] : child.directory->children) changed(grandchild);
  }

  // More of its platforms may be present now.
  void imported_again(const std::string& path, const ViewChild& child) {
    changes_.directories.push_back(child.id);
    changes_.directories.push_back(PlatformsDirectory::id_of(path, child.image->descriptor.digest));
  }

  Tree::Changes changes_;
};

}  // namespace

Tree::Changes compare(const View& before, const View& after) {
  return Comparison().run(before, after);
}

}  // namespace imagefs::fs
