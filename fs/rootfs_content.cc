#include "fs/rootfs_content.h"

#include <algorithm>
#include <iterator>

namespace imagefs::fs {

RootfsContent::RootfsContent(LayerBytesPtr layer, std::uint64_t offset, std::uint64_t size,
                             const std::optional<importer::SparseMap>& map)
    : layer_(std::move(layer)), size_(size) {
  if (!map) {
    extents_.push_back({0, size, offset});
    return;
  }
  extents_.reserve(map->size());
  for (const importer::Segment& segment : *map) {
    if (segment.length == 0) continue;
    extents_.push_back({segment.offset, segment.offset + segment.length, offset});
    offset += segment.length;
  }
}

std::uint64_t RootfsContent::layer_end(std::uint64_t offset, std::size_t count) const {
  const std::uint64_t end = std::min(offset + count, size_);
  const auto after = std::ranges::lower_bound(extents_, end, {}, &Extent::start);
  if (after == extents_.begin()) return 0;
  const Extent& last = *std::prev(after);
  if (last.end <= offset) return 0;
  return last.data + (std::min(end, last.end) - last.start);
}

std::size_t RootfsContent::read(std::span<std::byte> into, std::uint64_t offset) const {
  if (offset >= size_) return 0;
  const std::size_t count = std::min<std::uint64_t>(into.size(), size_ - offset);
  std::uint64_t at = offset;
  const std::uint64_t end = offset + count;
  auto extent = extent_at(offset);
  while (at < end) {
    const bool more = extent != extents_.end();
    const std::uint64_t data_start = more ? std::clamp(extent->start, at, end) : end;
    std::ranges::fill(into.subspan(at - offset, data_start - at), std::byte{0});
    const std::uint64_t data_end = more ? std::clamp(extent->end, data_start, end) : end;
    if (data_end > data_start) {
      layer_->read(into.subspan(data_start - offset, data_end - data_start),
                   extent->data + (data_start - extent->start));
    }
    at = data_end;
    if (more) ++extent;
  }
  return count;
}

std::optional<std::uint64_t> RootfsContent::next_data(std::uint64_t offset) const {
  const auto extent = extent_at(offset);
  if (extent == extents_.end()) return std::nullopt;
  return std::max(extent->start, offset);
}

std::uint64_t RootfsContent::next_hole(std::uint64_t offset) const {
  std::uint64_t hole = offset;
  for (auto extent = extent_at(offset); extent != extents_.end(); ++extent) {
    if (extent->start > hole) break;
    hole = extent->end;
  }
  return hole;
}

}  // namespace imagefs::fs
