// The bytes of a file of a rootfs/.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "fs/layer_bytes.h"
#include "fs/node.h"
#include "importer/layer_sparse.h"

namespace imagefs::fs {

class RootfsContent final : public Content {
 public:
  // `offset`: of the file's data in the layer. `map`: of a sparse file, whose segments' data follow
  // each other there.
  RootfsContent(LayerBytesPtr layer, std::uint64_t offset, std::uint64_t size,
                const std::optional<importer::SparseMap>& map);

  [[nodiscard]] bool ready(std::uint64_t offset, std::size_t count) const override {
    return layer_->ready(layer_end(offset, count));
  }
  void await(std::uint64_t offset, std::size_t count, const Patience& patience) const override {
    layer_->await(layer_end(offset, count), patience);
  }
  std::size_t read(std::span<std::byte> into, std::uint64_t offset) const override;
  [[nodiscard]] std::uint64_t size() const override { return size_; }
  [[nodiscard]] std::optional<std::uint64_t> next_data(std::uint64_t offset) const override;
  [[nodiscard]] std::uint64_t next_hole(std::uint64_t offset) const override;

 private:
  // How far the layer is needed for a part of the file; 0: not at all.
  [[nodiscard]] std::uint64_t layer_end(std::uint64_t offset, std::size_t count) const;

  struct Extent {
    std::uint64_t start;  // in the file
    std::uint64_t end;
    std::uint64_t data;  // in the layer
  };
  // The first that ends after `offset`.
  [[nodiscard]] std::vector<Extent>::const_iterator extent_at(std::uint64_t offset) const {
    return std::ranges::upper_bound(extents_, offset, {}, &Extent::end);
  }

  const LayerBytesPtr layer_;
  const std::uint64_t size_;
  std::vector<Extent> extents_;  // in order, none empty; between them are zeros
};

}  // namespace imagefs::fs
