// The bytes of a file of a rootfs/.
#pragma once

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

  std::size_t read(std::span<std::byte> into, std::uint64_t offset) const override;
  [[nodiscard]] std::uint64_t size() const override { return size_; }

 private:
  struct Extent {
    std::uint64_t start;  // in the file
    std::uint64_t end;
    std::uint64_t data;  // in the layer
  };
  const LayerBytesPtr layer_;
  const std::uint64_t size_;
  std::vector<Extent> extents_;  // in order; between them are zeros
};

}  // namespace imagefs::fs
