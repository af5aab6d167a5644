// What the import has to know of a layer, found while its bytes pass.
//
// Thread safety: one LayerScan belongs to one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "blobstore/digest.h"
#include "importer/cache_file.h"
#include "importer/decoder.h"
#include "importer/limits.h"

namespace imagefs::importer {

struct LayerFacts {
  Compression compression;
  blobstore::Digest diff_id;  // SHA-256 of the decoded bytes
  std::uint64_t decoded_size;
  std::shared_ptr<CacheFile> index = {};  // of its entries, not yet published; null: none was made
  std::vector<std::string> notes = {};    // entries that rootfs/ leaves out, a sentence each
};

class LayerScan {
 public:
  // `index_directory`: where the index is made, see CacheFile; nothing: it is not.
  explicit LayerScan(const Limits& limits, std::optional<int> index_directory = {});
  ~LayerScan();

  // Whether a stream that starts so may be a layer: a tar header, zeros, or a compression's magic.
  [[nodiscard]] static bool may_be_layer(std::span<const std::byte> first_block);

  // Throws Error: EBADMSG (corrupt compression or tar), EFBIG (max_layer, max_ratio).
  void append(std::span<const std::byte> stored);
  // Throws Error: EBADMSG for compressed data or a tar that is cut, EINVAL when the decoded bytes
  // are no tar, or it is compressed with lz4, which no engine reads in a layer. `blob_digest`: that
  // of the stored bytes; it is the diff ID of a layer that is not compressed.
  [[nodiscard]] LayerFacts finish(const blobstore::Digest& blob_digest);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace imagefs::importer
