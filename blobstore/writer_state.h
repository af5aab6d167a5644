// The inside of a Writer, which the store makes.
#pragma once

#include <optional>

#include "blobstore/hash_thread.h"
#include "blobstore/temporary_file.h"
#include "blobstore/writer.h"

namespace imagefs::blobstore {

struct Writer::State {
  State(TemporaryFile temporary, int blobs);
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State();  // removes the name of a file that was not finished

  void hash_and_write(std::span<const std::byte> bytes);
  void start_flush();

  TemporaryFile file;
  UniqueFd name_directory;
  Sha256 hash;
  std::uint64_t size = 0;
  std::uint64_t flushed = 0;
  std::optional<HashThread> thread;
};

}  // namespace imagefs::blobstore
