// The blobs that readers of image.tar hold: each open once, however many read it.
//
// Thread safety: every member from any thread.
#pragma once

#include <cstddef>
#include <memory>

#include "fs/blob_content.h"

namespace imagefs::fs {

class OpenBlobs {
 public:
  // `most`: how many descriptors all readers may hold together.
  explicit OpenBlobs(std::size_t most);

  // What reads the same file as `opened`, for as long as the result lives: what another reader
  // holds, where there is such. Null when too many are held: then the blob may go while its reader
  // is not there yet.
  [[nodiscard]] ContentPtr hold(const blobstore::Digest& digest, BlobContentPtr opened);

 private:
  struct Table;
  struct Held;

  const std::shared_ptr<Table> table_;
};

}  // namespace imagefs::fs
