// Takes in the bytes of one regular file of an archive, and decides what is kept of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "importer/content.h"

namespace imagefs::importer {

// Files up to this size are kept in memory, whatever they are, while there is room.
inline constexpr std::size_t kSmallFile = 64U << 10;

// What the caller knows of the file.
struct FileHints {
  std::uint64_t size;  // bytes that will come
  bool is_blob;        // it stands under blobs/sha256/, so that anything may refer to it
  bool in_memory;      // it is small and there is room
};

class ContentWriter {
 public:
  // Both must outlive it.
  ContentWriter(blobstore::Store& store, const Limits& limits, FileHints hints);

  // Throws Error{ENOSPC, EIO, EDQUOT}. A broken layer is not an error yet: who refers to it finds
  // out.
  void append(std::span<const std::byte> bytes);
  [[nodiscard]] Content finish();

 private:
  void choose();
  void store_bytes(std::span<const std::byte> bytes);
  void scan(std::span<const std::byte> bytes);

  blobstore::Store& store_;
  const Limits& limits_;
  const FileHints hints_;
  std::string start_;  // the bytes until it is known what becomes of them
  bool chosen_ = false;
  std::optional<blobstore::Writer> writer_;
  std::optional<LayerScan> layer_;
  std::exception_ptr fault_;
};

}  // namespace imagefs::importer
