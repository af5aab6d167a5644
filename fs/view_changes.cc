#include "fs/view_changes.h"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

#include "fs/platforms_directory.h"

namespace imagefs::fs {
namespace {

constexpr std::string_view kRoot = "images";
constexpr std::string_view kDockerHub = "images/docker.io";
constexpr std::string_view kLibrary = "images/docker.io/library";
constexpr std::string_view kLatest = ":latest";

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
  Comparison(const View& before, const View& after, const std::vector<std::string>& image_entries)
      : before_(before), after_(after), image_entries_(image_entries) {}

  Tree::Changes run() {
    compare(*before_.directory(kRoot), *after_.directory(kRoot));
    for (const auto& [directory, name] : spellings_) {
      const NodeId old = before_.resolve(directory, name);
      if (old == 0 || old == after_.resolve(directory, name)) continue;
      changes_.names.push_back({before_.directory(directory)->id, name});
    }
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
        changed(before, name, child);
      } else if (child.directory && now->second.directory) {
        compare(*child.directory, *now->second.directory);
      } else if (child.image && !same_time(child.image->imported, now->second.image->imported)) {
        imported_again(before.path + "/" + name, child);
      }
    }
    for (const auto& [name, child] : after.children) {
      if (!before.children.contains(name)) changed(after, name, child);
    }
  }

  // The name is gone, new, or leads to another node: and so may every other spelling of it.
  void changed(const ViewDirectory& parent, const std::string& name, const ViewChild& child) {
    add_spelling(parent.path, name);
    if (child.directory) {
      if (parent.path == kDockerHub) add_spelling(kRoot, name);
      changes_.directories.push_back(child.id);
      for (const auto& [below, grandchild] : child.directory->children) {
        changed(*child.directory, below, grandchild);
      }
    } else if (parent.path == kLibrary) {
      add_spelling(kRoot, name);
      add_spelling(kDockerHub, name);
    }
  }

  void add_spelling(std::string_view directory, const std::string& name) {
    spellings_.emplace(directory, name);
    if (name.ends_with(kLatest)) {
      spellings_.emplace(directory, name.substr(0, name.size() - kLatest.size()));
    }
  }

  void imported_again(const std::string& path, const ViewChild& child) {
    changes_.directories.push_back(child.id);
    changes_.directories.push_back(PlatformsDirectory::id_of(path, child.image->descriptor.digest));
    for (const std::string& entry : image_entries_) changes_.names.push_back({child.id, entry});
  }

  const View& before_;
  const View& after_;
  const std::vector<std::string>& image_entries_;
  std::set<std::pair<std::string, std::string>> spellings_;
  Tree::Changes changes_;
};

}  // namespace

Tree::Changes compare(const View& before, const View& after,
                      const std::vector<std::string>& image_entries) {
  return Comparison(before, after, image_entries).run();
}

}  // namespace imagefs::fs
