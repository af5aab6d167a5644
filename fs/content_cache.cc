#include "fs/content_cache.h"

#include <list>

namespace imagefs::fs {

ContentCache::Contents& ContentCache::contents_of(const Node& node) {
  return node.lifetime() == Lifetime::fixed ? fixed_ : changing_;
}

ContentPtr ContentCache::open(const Node& node) {
  {
    const std::lock_guard lock(mutex_);
    if (ContentPtr known = contents_of(node).find(node.id())) return known;
  }
  return reopen(node);
}

ContentPtr ContentCache::reopen(const Node& node) {
  ContentPtr opened = node.open();
  ContentPtr dropped;
  const std::lock_guard lock(mutex_);
  dropped = contents_of(node).insert(node.id(), opened);
  return opened;
}

void ContentCache::release() {
  std::list<ContentPtr> dropped;
  const std::lock_guard lock(mutex_);
  dropped = fixed_.release([](const Content&) { return false; });
}

}  // namespace imagefs::fs
