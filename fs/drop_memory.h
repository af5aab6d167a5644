// Which files of a drop directory were judged already, across restarts.
//
// A file is known by what it is (device, inode, size, time of its last change), not by its name.
// Kept as lines in a file of the store's cache/: when that is deleted, all is read again, which
// costs time and nothing else.
//
// Thread safety: one thread.
#pragma once

#include <sys/stat.h>

#include <compare>
#include <ctime>
#include <set>
#include <string>

#include "blobstore/unique_fd.h"

namespace imagefs::fs {

class DropMemory {
 public:
  struct File {
    dev_t device = 0;
    ino_t inode = 0;
    off_t size = 0;  // bytes
    std::time_t seconds = 0;
    long nanoseconds = 0;

    explicit File(const struct stat& attributes);
    File() = default;
    auto operator<=>(const File&) const = default;
  };

  // `directory_fd`: the store's. Lines that cannot be read are forgotten. Throws Error when the
  // file cannot be opened.
  explicit DropMemory(int directory_fd);

  [[nodiscard]] bool knows(const File& file) const { return known_.contains(file); }
  // Throws Error. Not synced: what a power cut takes costs another import.
  void add(const File& file);
  // Forgets all but these.
  void keep(const std::set<File>& present);

 private:
  int directory_fd_;
  UniqueFd file_;
  std::set<File> known_;
};

}  // namespace imagefs::fs
