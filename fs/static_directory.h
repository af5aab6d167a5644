// A directory whose entries never change: the root, blobs/, .imagefs/.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "fs/image_child.h"
#include "fs/node.h"

namespace imagefs::fs {

class StaticDirectory final : public Node {
 public:
  struct Entry {
    std::string name;
    NodePtr node;
  };
  // `mtime` is called at each stat.
  StaticDirectory(NodeId id, const Owner& owner, std::vector<Entry> entries,
                  std::function<timespec()> mtime);

  [[nodiscard]] NodeId id() const override { return id_; }
  [[nodiscard]] struct stat attributes() const override;
  [[nodiscard]] Lifetime lifetime() const override { return Lifetime::volatile_; }
  [[nodiscard]] NodePtr lookup(std::string_view name) const override;
  void list(std::uint64_t offset,
            const std::function<bool(const ListedName&)>& visit) const override;

 private:
  const NodeId id_;
  const Owner owner_;
  const std::vector<Entry> entries_;
  const std::uint64_t subdirectories_;
  const std::function<timespec()> mtime_;
};

}  // namespace imagefs::fs
