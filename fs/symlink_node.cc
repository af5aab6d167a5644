#include "fs/symlink_node.h"

#include "fs/attributes.h"

namespace imagefs::fs {

SymlinkNode::SymlinkNode(NodeId id, const Owner& owner, std::string target, timespec mtime,
                         Lifetime lifetime)
    : id_(id), owner_(owner), target_(std::move(target)), mtime_(mtime), lifetime_(lifetime) {}

struct stat SymlinkNode::attributes() const {
  return symlink_attributes(id_, owner_, target_.size(), mtime_);
}

}  // namespace imagefs::fs
