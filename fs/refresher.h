// Brings what the mount shows up to date with the store, and tells the kernel what to forget.
//
// Thread safety: every member from any thread.
#pragma once

#include <sys/stat.h>

#include <functional>
#include <memory>
#include <mutex>

#include "blobstore/store.h"
#include "fs/tree.h"

namespace imagefs::fs {

class Refresher {
 public:
  // `tell`: gets the changes before refresh() returns.
  Refresher(std::shared_ptr<const blobstore::Store> store, Tree& tree,
            std::function<void(const Tree::Changes&)> tell);

  // When it returns, the mount shows the store as it was at the call, or newer; or what it showed
  // before, when the store cannot be read just now: the next look tries again.
  void refresh();
  // The same, when a look at index.json's attributes says that it has changed: cheap enough for
  // every lookup of a name of an image.
  void refresh_if_changed();

 private:
  struct Stamp {
    ino_t inode = 0;
    off_t size = 0;
    timespec modified{};
    [[nodiscard]] bool operator==(const Stamp& other) const;
  };
  [[nodiscard]] Stamp stamp() const;

  const std::shared_ptr<const blobstore::Store> store_;
  Tree& tree_;
  const std::function<void(const Tree::Changes&)> tell_;
  std::mutex refreshing_;  // held until the kernel was told; guards failing_
  bool failing_ = false;   // since the last time that the store could be read
  std::mutex mutex_;       // guards seen_
  Stamp seen_;
};

}  // namespace imagefs::fs
