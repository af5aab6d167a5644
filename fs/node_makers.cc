#include "fs/node_makers.h"

#include <utility>

namespace imagefs::fs {

NodeMakers::Number NodeMakers::add(const MakerPtr& maker) {
  const auto [at, is_new] = numbers_.try_emplace(maker.get(), makers_.size());
  if (is_new && !free_.empty()) {
    at->second = free_.back();
    free_.pop_back();
  }
  const Number number = at->second;
  if (number == makers_.size()) makers_.emplace_back();
  makers_[number].maker = maker;
  ++makers_[number].nodes;
  return number;
}

NodeMakers::MakerPtr NodeMakers::remove(Number number) {
  if (--makers_[number].nodes != 0) return nullptr;
  numbers_.erase(makers_[number].maker.get());
  free_.push_back(number);
  return std::exchange(makers_[number].maker, nullptr);
}

}  // namespace imagefs::fs
