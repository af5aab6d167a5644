#include "fs/node_table.h"

#include <algorithm>
#include <cerrno>
#include <limits>
#include <new>
#include <utility>

#include "blobstore/error.h"

namespace imagefs::fs {
namespace {

constexpr std::uint32_t kForEver = std::numeric_limits<std::uint32_t>::max();
constexpr std::size_t kSparse = 8;  // times the room that is used

}  // namespace

NodePtr NodeTable::get(NodeId id) const {
  if (id == root_->id()) return root_;
  const auto found = find(id);
  if (const auto* node = std::get_if<NodePtr>(&found)) return *node;
  const auto& recipe = std::get<NodeRecipe>(found);
  return recipe.maker->make(recipe.key);
}

std::variant<NodePtr, NodeRecipe> NodeTable::find(NodeId id) const {
  const std::lock_guard lock(mutex_);
  const RemadeNodes& part = remade_[id % kParts];
  if (const auto remade = part.find(id); remade != part.end()) {
    return NodeRecipe{makers_.get(remade->second.maker), remade->second.key};
  }
  const auto kept = kept_.find(id);
  if (kept == kept_.end()) throw Error(ESTALE, "a node that is not known any more");
  return kept->second.node;
}

void NodeTable::remember(const NodePtr& node) {
  const NodeId id = node->id();
  if (const auto recipe = node->recipe()) return remember(id, *recipe);
  NodePtr old;  // ends after the lock
  const std::lock_guard lock(mutex_);
  Kept& kept = kept_[id];
  old = std::exchange(kept.node, node);
  ++kept.times;
}

void NodeTable::remember(NodeId id, const NodeRecipe& recipe) {
  const std::lock_guard lock(mutex_);
  RemadeNodes& part = remade_[id % kParts];
  if (const auto known = part.find(id); known != part.end()) {
    if (known->second.times != kForEver) ++known->second.times;
    return;
  }
  Remade& remade = part[id];
  try {
    remade = {.key = recipe.key, .maker = makers_.add(recipe.maker), .times = 1};
  } catch (...) {
    part.erase(id);
    throw;
  }
}

void NodeTable::forget(NodeId id, std::uint64_t times) {
  NodePtr old;
  {
    const std::lock_guard lock(mutex_);
    const auto found = kept_.find(id);
    if (found != kept_.end()) {
      Kept& kept = found->second;
      kept.times -= std::min(times, kept.times);
      if (kept.times != 0) return;
      old = std::move(kept.node);
      kept_.erase(found);
      return;
    }
  }
  forget_remade(id, times);
}

void NodeTable::forget_remade(NodeId id, std::uint64_t times) {
  NodeMakers::MakerPtr last;
  const std::lock_guard lock(mutex_);
  RemadeNodes& part = remade_[id % kParts];
  const auto found = part.find(id);
  if (found == part.end() || found->second.times == kForEver) return;
  Remade& remade = found->second;
  if (times < remade.times) {
    remade.times -= static_cast<std::uint32_t>(times);
    return;
  }
  last = makers_.remove(remade.maker);
  part.erase(found);
  shrink(part);
}

void NodeTable::shrink(RemadeNodes& part) {
  if (part.size() >= part.bucket_count() / kSparse) return;
  try {
    part.rehash(0);
  } catch (const std::bad_alloc&) {
    return;  // it stays as large as it was
  }
}

}  // namespace imagefs::fs
