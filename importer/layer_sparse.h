// Sparse maps of tar entries, in the formats of GNU tar: old ("S"), PAX 0.0, 0.1 and 1.0.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "importer/layer_pax.h"
#include "importer/layer_tar_header.h"

namespace imagefs::importer {

// A run of data in a sparse file; the rest is zeros.
struct Segment {
  std::uint64_t offset;  // in the file
  std::uint64_t length;

  bool operator==(const Segment&) const = default;
};
using SparseMap = std::vector<Segment>;

// A map of more segments is left aside: its file cannot be shown.
inline constexpr std::size_t kMaxSegments = 1U << 18;

// Throws Error{EBADMSG} unless the segments are in order, do not overlap, and end within `size`.
void check_sparse_map(const SparseMap& map, std::int64_t size);
[[nodiscard]] std::uint64_t data_bytes(const SparseMap& map);

// The map of format 0.1, to which parse_pax() turns 0.0. Throws Error{EBADMSG}.
[[nodiscard]] SparseMap parse_sparse_map(const PaxRecords& records);

// The map of format 1.0: text at the start of the data, block by block.
class SparseMapReader {
 public:
  // True when the map is whole with this block. Throws Error{EBADMSG}.
  bool append(const TarBlock& block);
  [[nodiscard]] bool too_long() const { return too_long_; }
  [[nodiscard]] SparseMap take() { return std::move(map_); }

 private:
  bool take_character(char c);
  bool number(std::int64_t value);

  std::string digits_;
  std::optional<std::int64_t> segments_;
  std::optional<std::int64_t> offset_;
  SparseMap map_;
  bool too_long_ = false;
};

// The map of an old GNU header ("S") and the blocks that extend it.
class OldSparseMap {
 public:
  // Whether a header has such a map.
  [[nodiscard]] static bool is_in(const TarBlock& header);
  // Each returns whether another block extends the map. Throws Error{EBADMSG}.
  bool start(const TarBlock& header);
  bool extend(const TarBlock& block);
  [[nodiscard]] std::int64_t real_size() const { return real_size_; }
  [[nodiscard]] bool too_long() const { return too_long_; }
  [[nodiscard]] SparseMap take() { return std::move(map_); }

 private:
  bool read(const TarBlock& block, std::size_t start, std::size_t count);

  std::int64_t real_size_ = 0;
  SparseMap map_;
  bool too_long_ = false;
};

}  // namespace imagefs::importer
