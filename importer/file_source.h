// An archive in a file, a pipe or a socket.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "blobstore/unique_fd.h"
#include "importer/byte_source.h"

namespace imagefs::importer {

class FileSource final : public ByteSource {
 public:
  // Reads from where the descriptor stands, 1 MiB at a time.
  explicit FileSource(UniqueFd fd);
  // Throws Error with what read(2) says.
  [[nodiscard]] std::span<const std::byte> next() override;

 private:
  UniqueFd fd_;
  std::vector<std::byte> buffer_;
};

}  // namespace imagefs::importer
