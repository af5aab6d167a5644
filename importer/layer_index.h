// The index of a layer, read in place: what the layer says of each path.
//
// A damaged file is refused when it is opened, by its checksum; all places in it are checked at use
// all the same. Thread safety: every member from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "importer/layer_index_format.h"
#include "importer/layer_sparse.h"
#include "importer/mapped_file.h"

namespace imagefs::importer {

class LayerIndex {
 public:
  // Null when the file is damaged, or of another version. Throws Error when it cannot be read. The
  // descriptor is not needed afterwards.
  [[nodiscard]] static std::shared_ptr<const LayerIndex> open(int fd);

  [[nodiscard]] std::span<const IndexRecord> records() const { return records_; }
  [[nodiscard]] std::uint64_t layer_size() const { return layer_size_; }  // bytes, decoded

  // The records of the directory's entries: places in records().
  struct Range {
    std::size_t begin;
    std::size_t end;

    bool operator==(const Range&) const = default;
  };
  [[nodiscard]] Range directory(const DirectoryKey& key) const;
  // The newest record of that name within the directory's range.
  [[nodiscard]] std::optional<std::size_t> find(Range directory, std::string_view name) const;
  // The first record after `name` (its older ones skipped) within the range.
  [[nodiscard]] std::size_t after(Range directory, std::string_view name) const;
  // The hard links to what has that key, in order.
  [[nodiscard]] std::span<const IndexLink> links_to(const DirectoryKey& target) const;
  [[nodiscard]] bool has_links() const { return !links_.empty(); }

  // Each throws Error{EIO} when the record leads out of the file.
  [[nodiscard]] std::string_view name(const IndexRecord& record) const;
  [[nodiscard]] std::string_view target(const IndexRecord& link) const;
  [[nodiscard]] std::string_view text(std::uint64_t place, std::uint64_t size) const;
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> xattrs(
      const IndexRecord& record) const;
  // Nothing for a file without holes.
  [[nodiscard]] std::optional<SparseMap> sparse_map(const IndexRecord& record) const;

 private:
  LayerIndex(MappedFile file, const IndexHeader& header);

  MappedFile file_;
  std::string_view pool_;
  std::span<const IndexRecord> records_;
  std::span<const IndexLink> links_;
  std::uint64_t layer_size_;
};

}  // namespace imagefs::importer
