// The nodes that the kernel knows, by id, and how often it was told of each.
//
// Thread safety: every member from any thread. No Node is asked anything under the lock.
#pragma once

#include <cstdint>
#include <mutex>
#include <unordered_map>

#include "fs/node.h"

namespace imagefs::fs {

class NodeTable {
 public:
  // `root` is known for ever.
  explicit NodeTable(NodePtr root) : root_(std::move(root)) {}

  // Throws Error{ESTALE} for an id that was never given out, or was forgotten.
  [[nodiscard]] NodePtr get(NodeId id) const;
  // The kernel is told of the node once more.
  void remember(const NodePtr& node);
  void forget(NodeId id, std::uint64_t times);

 private:
  struct Known {
    NodePtr node;
    std::uint64_t times = 0;
  };
  const NodePtr root_;
  mutable std::mutex mutex_;
  std::unordered_map<NodeId, Known> known_;
};

}  // namespace imagefs::fs
