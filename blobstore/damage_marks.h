// The blobs that a verify found damaged, one digest a line in cache/damaged.
//
// The file is shared: what another process marks is seen at the next look. A store that cannot be
// written remembers its marks in memory only. Thread-safe.
#pragma once

#include <sys/stat.h>

#include <memory>
#include <mutex>
#include <set>

#include "blobstore/digest.h"

namespace imagefs::blobstore {

class DamageMarks {
 public:
  // `root`: the layout's directory, open as long as this lives.
  [[nodiscard]] bool contains(int root, const Digest& digest);
  [[nodiscard]] std::set<Digest> all(int root);
  // Writes the file, or with `in_memory` only remembers. The store's lock is held. Throws Error.
  void replace(int root, const std::set<Digest>& damaged, bool in_memory);

 private:
  void refresh(int root);

  std::mutex mutex_;
  std::set<Digest> damaged_;
  bool in_memory_ = false;
  struct stat seen_{};  // of the file that damaged_ was read from; st_ino 0: none
};

}  // namespace imagefs::blobstore
