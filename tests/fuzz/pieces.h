#pragma once

#include <algorithm>
#include <cstddef>
#include <span>

#include "importer/byte_source.h"

namespace imagefs::fuzz {

// Gives the input in pieces, so that every state of the readers is met at their edges.
class Pieces final : public importer::ByteSource {
 public:
  Pieces(std::span<const std::byte> bytes, std::size_t piece) : bytes_(bytes), piece_(piece) {}
  std::span<const std::byte> next() override {
    const auto part = bytes_.first(std::min(piece_, bytes_.size()));
    bytes_ = bytes_.subspan(part.size());
    return part;
  }

 private:
  std::span<const std::byte> bytes_;
  std::size_t piece_;
};

}  // namespace imagefs::fuzz
