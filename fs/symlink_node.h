// A symlink: unlisted familiar names, an image's layers.
#pragma once

#include <string>

#include "fs/image_child.h"
#include "fs/node.h"

namespace imagefs::fs {

class SymlinkNode final : public Node {
 public:
  SymlinkNode(NodeId id, const Owner& owner, std::string target, timespec mtime, Lifetime lifetime);

  [[nodiscard]] NodeId id() const override { return id_; }
  [[nodiscard]] struct stat attributes() const override;
  [[nodiscard]] Lifetime lifetime() const override { return lifetime_; }
  [[nodiscard]] std::string target() const override { return target_; }

 private:
  const NodeId id_;
  const Owner owner_;
  const std::string target_;
  const timespec mtime_;
  const Lifetime lifetime_;
};

}  // namespace imagefs::fs
