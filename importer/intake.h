// Takes an archive's entries in as they pass, and keeps what an image may need of them.
//
// Memory: names and small files up to a budget; descriptors: one for each larger file that may
// become a blob, up to a limit.
//
// Thread safety: none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "importer/archive.h"
#include "importer/limits.h"
#include "importer/tar_reader.h"

namespace imagefs::importer {

class Intake {
 public:
  // Both must outlive it.
  Intake(blobstore::Store& store, const Limits& limits);

  // Takes in one entry with its data. An entry that the stream's end cuts is not added. Throws
  // Error: EBADMSG for a blob whose bytes hash to another digest than its name says, EFBIG over a
  // limit, ENOSPC for min_free and a full disk.
  void take(const ArchiveEntry& entry, TarReader& tar);

  [[nodiscard]] Archive& archive() { return archive_; }
  // Entries that have been taken in.
  [[nodiscard]] std::size_t taken() const { return taken_; }
  // Whether the last entry may have shown what refuses the archive: a document, a large or a broken
  // file.
  [[nodiscard]] bool worth_a_look() const { return worth_a_look_; }

 private:
  void add(const std::string& name, const ArchiveEntry& entry, TarReader& tar);
  void take_file(const std::string& name, const ArchiveEntry& entry, TarReader& tar);
  void add_file(const std::string& name, Content content);
  void check_free(std::size_t written);
  void count(const ArchiveEntry& entry);

  blobstore::Store& store_;
  const Limits& limits_;
  Archive archive_;
  std::size_t taken_ = 0;
  std::size_t held_ = 0;         // descriptors
  std::size_t small_bytes_ = 0;  // of small files
  std::size_t name_bytes_ = 0;
  std::uint64_t unchecked_ = 0;  // bytes written since the disk was looked at
  bool worth_a_look_ = false;
};

}  // namespace imagefs::importer
