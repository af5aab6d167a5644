// What a regular file of an archive holds, as far as the import needs it.
//
// Small files are kept in memory, larger ones that may become a blob in an uncommitted one; what
// can be neither is dropped as it passes.
//
// Thread safety: none; a Content belongs to the thread that imports.
#pragma once

#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <variant>

#include "blobstore/store.h"
#include "importer/layer_scan.h"

namespace imagefs::importer {

class Content {
 public:
  // Of a file that was dropped.
  explicit Content(std::uint64_t size) : size_(size) {}
  // In memory. `index_directory`: for LayerScan.
  explicit Content(std::string bytes, std::optional<int> index_directory = {});
  // In an uncommitted blob. `layer`: what a scan found; nothing when it is no layer by its start;
  // an error when it is a layer that is broken.
  using Scan = std::variant<std::monostate, LayerFacts, std::exception_ptr>;
  Content(blobstore::HeldBlob blob, Scan scan);

  [[nodiscard]] std::uint64_t size() const { return size_; }
  // Nothing: it was dropped.
  [[nodiscard]] const std::optional<blobstore::Digest>& digest() const { return digest_; }
  [[nodiscard]] bool same_bytes(const Content& other) const;
  [[nodiscard]] bool holds_file() const { return blob_.has_value(); }
  [[nodiscard]] bool broken() const { return std::holds_alternative<std::exception_ptr>(scan_); }

  // All bytes. Throws Error{EFBIG} for more than `limit`, Error{EINVAL} when it was dropped; `what`
  // names it.
  [[nodiscard]] std::string text(std::uint64_t limit, const std::string& what) const;
  // Throws Error{EINVAL} when it is no layer, and what LayerScan throws.
  [[nodiscard]] const LayerFacts& layer(const Limits& limits, const std::string& what);
  // What a scan has found so far; null when that is nothing.
  [[nodiscard]] const LayerFacts* facts() const { return std::get_if<LayerFacts>(&scan_); }
  // The bytes as a blob that a commit can name; what is in memory is written first.
  [[nodiscard]] const blobstore::HeldBlob& blob(blobstore::Store& store);

 private:
  std::uint64_t size_;
  std::optional<blobstore::Digest> digest_;
  std::optional<std::string> bytes_;
  std::optional<int> index_directory_;
  std::optional<blobstore::HeldBlob> blob_;
  Scan scan_;
};

}  // namespace imagefs::importer
