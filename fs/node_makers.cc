#include "fs/node_makers.h"

#include <utility>

namespace imagefs::fs {

NodeMakers::Number NodeMakers::add(const MakerPtr& maker) {
  if (free_.empty()) make_room();
  const auto [at, is_new] = numbers_.try_emplace(maker.get(), free_.back());
  const Number number = at->second;
  if (is_new) {
    free_.pop_back();
    makers_[number].maker = maker;
  }
  ++makers_[number].nodes;
  return number;
}

// With room for every number in free_, so that remove() needs no memory.
void NodeMakers::make_room() {
  free_.reserve(makers_.size() + 1);
  makers_.emplace_back();
  free_.push_back(static_cast<Number>(makers_.size() - 1));
}

NodeMakers::MakerPtr NodeMakers::remove(Number number) noexcept {
  if (--makers_[number].nodes != 0) return nullptr;
  numbers_.erase(makers_[number].maker.get());
  free_.push_back(number);
  return std::exchange(makers_[number].maker, nullptr);
}

}  // namespace imagefs::fs
