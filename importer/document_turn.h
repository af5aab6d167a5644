// Large documents are read one after the other, whichever imports they belong to: the memory that
// one takes to be read is there once.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>

#include "blobstore/documents.h"
#include "importer/content.h"
#include "importer/limits.h"

namespace imagefs::importer {

// Held while a document of `size` bytes is read and parsed. Its holder waits for nothing else.
class DocumentTurn {
 public:
  explicit DocumentTurn(std::uint64_t size);

 private:
  std::unique_lock<std::mutex> lock_;
};

// Reads an image's config in its turn. Throws Error{EINVAL, EFBIG}.
[[nodiscard]] blobstore::ImageConfig read_config(const Content& config, const Limits& limits,
                                                 const std::string& what);

}  // namespace imagefs::importer
