// The last used of shared things stay alive; of the others those that somebody still holds.
//
// Not thread-safe.
#pragma once

#include <cstddef>
#include <iterator>
#include <list>
#include <map>
#include <memory>
#include <utility>

namespace imagefs::fs {

template <typename Key, typename Value>
class Recent {
 public:
  using Pointer = std::shared_ptr<Value>;

  // `count`: how many stay alive without anybody else.
  explicit Recent(std::size_t count) : count_(count) {}

  // Null when it is gone.
  [[nodiscard]] Pointer find(const Key& key) {
    const auto known = known_.find(key);
    Pointer value = known == known_.end() ? nullptr : known->second.lock();
    if (value) use(value);
    return value;
  }
  // What falls out is handed back: it may take long to destroy, which should not happen under a
  // lock.
  [[nodiscard]] Pointer insert(const Key& key, const Pointer& value) {
    std::erase_if(known_, [](const auto& entry) { return entry.second.expired(); });
    known_.insert_or_assign(key, value);
    return use(value);
  }
  // Keeps nothing alive any more but what `stays`. The rest is handed back for the same reason.
  template <typename Predicate>
  [[nodiscard]] std::list<Pointer> release(const Predicate& stays) {
    std::list<Pointer> released;
    for (auto at = used_.begin(); at != used_.end();) {
      const auto next = std::next(at);
      if (!stays(**at)) released.splice(released.end(), used_, at);
      at = next;
    }
    return released;
  }

 private:
  Pointer use(const Pointer& value) {
    used_.remove(value);
    used_.push_front(value);
    if (used_.size() <= count_) return nullptr;
    Pointer oldest = std::move(used_.back());
    used_.pop_back();
    return oldest;
  }

  const std::size_t count_;
  std::map<Key, std::weak_ptr<Value>> known_;
  std::list<Pointer> used_;
};

}  // namespace imagefs::fs
