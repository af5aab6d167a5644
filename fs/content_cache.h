// The contents of files that are read without having been opened: of a read-only mount the kernel
// has nothing opened.
//
// Thread safety: every member from any thread.
#pragma once

#include <cstddef>
#include <mutex>

#include "fs/node.h"
#include "fs/recent.h"

namespace imagefs::fs {

class ContentCache {
 public:
  // What opening the node gives; of fixed nodes that were read lately it is open already. Throws
  // what Node::open() does.
  [[nodiscard]] ContentPtr open(const Node& node);
  // Lets go of all: blobs that are removed take no space any more.
  void clear();

 private:
  static constexpr std::size_t kOpen = 64;

  std::mutex mutex_;
  Recent<NodeId, const Content> contents_{kOpen};
};

}  // namespace imagefs::fs
