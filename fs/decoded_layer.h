// A compressed layer that is decoded into a file of cache/layers/ when somebody first reads from
// it.
//
// A thread decodes it once from its start to its end; a reader waits only until its own bytes are
// there. What is whole is published, and serves later mounts too.
//
// Thread safety: read() from any thread.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "blobstore/error.h"
#include "blobstore/unique_fd.h"
#include "fs/layer_bytes.h"
#include "importer/cache_file.h"

namespace imagefs::fs {

class DecodedLayer final : public LayerBytes {
 public:
  struct Source {
    UniqueFd blob;
    std::uint64_t size;       // bytes, decoded
    UniqueFd directory;       // cache/layers/; empty: cannot be written
    std::string name;         // of the file there
    std::uint64_t max_cache;  // bytes that the directory may hold
  };
  explicit DecodedLayer(Source source) : source_(std::move(source)) {}
  DecodedLayer(const DecodedLayer&) = delete;
  DecodedLayer& operator=(const DecodedLayer&) = delete;
  // Gives up decoding.
  ~DecodedLayer() override;

  // Throws Error{EIO} when the layer cannot be decoded, or there is no room for it.
  void read(std::span<std::byte> into, std::uint64_t offset) override;

 private:
  void start();
  void run();
  void decode();
  [[nodiscard]] bool take(std::span<const std::byte> bytes);

  const Source source_;
  std::mutex mutex_;
  std::condition_variable progress_;
  std::thread thread_;
  std::optional<importer::CacheFile> file_;  // set once, before the first progress
  std::uint64_t decoded_ = 0;                // bytes
  std::optional<Error> failure_;
  bool given_up_ = false;
};

}  // namespace imagefs::fs
