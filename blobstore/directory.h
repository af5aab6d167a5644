// What the parts of a store share: its open directories, its lock, and which blobs are damaged.
#pragma once

#include <filesystem>

#include "blobstore/access.h"
#include "blobstore/damage_marks.h"
#include "blobstore/unique_fd.h"

namespace imagefs::blobstore {

// An open layout. Immutable but for the damage marks, which guard themselves.
struct Directory {
  // As Store::open.
  Directory(std::filesystem::path path, Access access);

  void require_writable() const;  // throws Error{EROFS}

  std::filesystem::path path;
  bool read_only;
  UniqueFd root;    // the layout
  UniqueFd blobs;   // blobs/; empty when a read-only layout has none
  UniqueFd sha256;  // blobs/sha256/; likewise
  mutable DamageMarks marks;
};

// The exclusive lock of a store, between processes and between threads (flock(2) on `lock`); waits.
class StoreLock {
 public:
  explicit StoreLock(int root);

 private:
  UniqueFd fd_;
};

}  // namespace imagefs::blobstore
