// What the import has to know of a layer, found while its bytes pass.
//
// Thread safety: one LayerScan belongs to one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "blobstore/digest.h"
#include "importer/decoder.h"
#include "importer/limits.h"

namespace imagefs::importer {

struct LayerFacts {
  Compression compression;
  blobstore::Digest diff_id;  // SHA-256 of the decoded bytes
  std::uint64_t decoded_size;
};

class LayerScan {
 public:
  explicit LayerScan(const Limits& limits);
  ~LayerScan();

  // Whether a stream that starts so may be a layer: a tar header, zeros, or a compression's magic.
  [[nodiscard]] static bool may_be_layer(std::span<const std::byte> first_block);

  // Throws Error: EBADMSG (corrupt compression or tar), EFBIG (max_layer, max_ratio).
  void append(std::span<const std::byte> stored);
  // Throws Error: EBADMSG for compressed data or a tar that is cut, EINVAL when the decoded bytes
  // are no tar. `blob_digest`: that of the stored bytes; it is the diff ID of a layer that is not
  // compressed.
  [[nodiscard]] LayerFacts finish(const blobstore::Digest& blob_digest);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace imagefs::importer
