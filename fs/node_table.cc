#include "fs/node_table.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "blobstore/error.h"

namespace imagefs::fs {

NodePtr NodeTable::get(NodeId id) const {
  if (id == root_->id()) return root_;
  const std::lock_guard lock(mutex_);
  const auto found = known_.find(id);
  if (found == known_.end()) throw Error(ESTALE, "a node that is not known any more");
  return found->second.node;
}

void NodeTable::remember(const NodePtr& node) {
  const NodeId id = node->id();
  NodePtr old;  // ends after the lock
  const std::lock_guard lock(mutex_);
  Known& known = known_[id];
  old = std::exchange(known.node, node);
  ++known.times;
}

void NodeTable::forget(NodeId id, std::uint64_t times) {
  NodePtr old;
  const std::lock_guard lock(mutex_);
  const auto found = known_.find(id);
  if (found == known_.end()) return;
  Known& known = found->second;
  known.times -= std::min(times, known.times);
  if (known.times != 0) return;
  old = std::move(known.node);
  known_.erase(found);
}

}  // namespace imagefs::fs
