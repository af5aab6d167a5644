#include "fs/content_cache.h"

#include <list>

namespace imagefs::fs {

ContentPtr ContentCache::open(const Node& node) {
  if (node.lifetime() != Lifetime::fixed) return node.open();
  {
    const std::lock_guard lock(mutex_);
    if (ContentPtr known = contents_.find(node.id())) return known;
  }
  ContentPtr opened = node.open();
  ContentPtr dropped;
  const std::lock_guard lock(mutex_);
  dropped = contents_.insert(node.id(), opened);
  return opened;
}

void ContentCache::clear() {
  std::list<ContentPtr> dropped;
  const std::lock_guard lock(mutex_);
  dropped = contents_.release();
}

}  // namespace imagefs::fs
