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
  // What opening the node gave last, if that was lately, else what it gives. Throws what
  // Node::open() does.
  [[nodiscard]] ContentPtr open(const Node& node);
  // What opening the node gives now. The kernel asks for the attributes of what may change before
  // each read: it then reads what was as large.
  ContentPtr reopen(const Node& node);
  // Lets go of what is fixed: blobs that are removed take no space any more.
  void release();

 private:
  static constexpr std::size_t kOpen = 64;
  using Contents = Recent<NodeId, const Content>;

  [[nodiscard]] Contents& contents_of(const Node& node);

  std::mutex mutex_;  // of what follows
  Contents fixed_{kOpen};
  Contents changing_{kOpen};
};

}  // namespace imagefs::fs
