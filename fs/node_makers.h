// What the nodes of a NodeTable are made by, with a short number for each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "fs/node.h"

namespace imagefs::fs {

// Not thread-safe.
class NodeMakers {
 public:
  using Number = std::uint32_t;
  using MakerPtr = std::shared_ptr<const NodeMaker>;

  // One more node is made by it.
  [[nodiscard]] Number add(const MakerPtr& maker);
  // One fewer; hands it back with the last.
  [[nodiscard]] MakerPtr remove(Number number) noexcept;
  [[nodiscard]] const MakerPtr& get(Number number) const { return makers_[number].maker; }

 private:
  struct Maker {
    MakerPtr maker;
    std::size_t nodes = 0;
  };

  void make_room();

  std::vector<Maker> makers_;
  std::vector<Number> free_;
  std::unordered_map<const NodeMaker*, Number> numbers_;
};

}  // namespace imagefs::fs
