// The bytes of a blob, as a reader has it open: they stay when the blob is removed.
//
// Thread safety: every member from any thread.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "blobstore/digest.h"
#include "blobstore/store.h"
#include "blobstore/unique_fd.h"
#include "fs/node.h"

namespace imagefs::fs {

class BlobContent final : public Content {
 public:
  // Throws Error when the file cannot be asked for its size.
  BlobContent(UniqueFd fd, const blobstore::Digest& digest);

  std::size_t read(std::span<std::byte> into, std::uint64_t offset) const override;
  [[nodiscard]] std::uint64_t size() const override;
  [[nodiscard]] std::optional<int> file() const override { return fd_.get(); }
  // Whether both have the same file open, and not another one with the blob's name.
  [[nodiscard]] bool same_file(const BlobContent& other) const;

 private:
  const UniqueFd fd_;
  const struct stat status_;
};
using BlobContentPtr = std::shared_ptr<const BlobContent>;

// What is known of a blob, besides its digest.
struct BlobFacts {
  blobstore::Digest digest;
  std::optional<std::uint64_t> size = {};  // what the descriptor promises
  std::string media_type = {};             // empty: unknown
  bool is_small = false;  // a document: its digest is checked each time it is opened
};

// Null when the blob is gone. Throws Error{EIO} when it is known to be damaged, or not what is
// known of it.
[[nodiscard]] BlobContentPtr find_blob_content(const blobstore::Store& store,
                                               const BlobFacts& facts);
// The same; throws Error{ESTALE} when it is gone.
[[nodiscard]] BlobContentPtr open_blob_content(const blobstore::Store& store,
                                               const BlobFacts& facts);

}  // namespace imagefs::fs
