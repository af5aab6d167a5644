// The nodes that the kernel knows, by id, and how often it was told of each.
//
// Of a node that can be made again only the recipe is kept, in some 40 bytes: the kernel may know
// millions.
//
// Thread safety: every member from any thread. No Node is asked anything, and none made or
// destroyed, under the lock.
#pragma once

#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <variant>

#include "fs/node.h"
#include "fs/node_makers.h"

namespace imagefs::fs {

class NodeTable {
 public:
  // `root` is known for ever.
  explicit NodeTable(NodePtr root) : root_(std::move(root)) {}

  // Throws Error{ESTALE} for an id that was never given out, or was forgotten; and what its maker
  // does.
  [[nodiscard]] NodePtr get(NodeId id) const;
  // The kernel is told of the node once more.
  void remember(const NodePtr& node);
  void forget(NodeId id, std::uint64_t times);

 private:
  struct Kept {
    NodePtr node;
    std::uint64_t times = 0;
  };
  struct Remade {
    std::uint64_t key;
    NodeMakers::Number maker;
    std::uint32_t times;  // one that was told of more often is never forgotten
  };
  using RemadeNodes = boost::unordered_flat_map<NodeId, Remade>;
  // They grow one at a time: a table that grows needs its size twice over.
  static constexpr std::size_t kParts = 64;

  [[nodiscard]] std::variant<NodePtr, NodeRecipe> find(NodeId id) const;
  void remember(NodeId id, const NodeRecipe& recipe);
  void forget_remade(NodeId id, std::uint64_t times);
  static void shrink(RemadeNodes& part);

  const NodePtr root_;
  mutable std::mutex mutex_;  // of what follows
  std::unordered_map<NodeId, Kept> kept_;
  std::array<RemadeNodes, kParts> remade_;
  NodeMakers makers_;
};

}  // namespace imagefs::fs
