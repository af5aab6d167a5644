#include "fs/refresher.h"

#include <fcntl.h>

#include <utility>

#include "blobstore/error.h"
#include "fs/log.h"

namespace imagefs::fs {

bool Refresher::Stamp::operator==(const Stamp& other) const {
  return inode == other.inode && size == other.size && modified.tv_sec == other.modified.tv_sec &&
         modified.tv_nsec == other.modified.tv_nsec;
}

Refresher::Refresher(std::shared_ptr<const blobstore::Store> store, Tree& tree,
                     std::function<void(const Tree::Changes&)> tell)
    : store_(std::move(store)), tree_(tree), tell_(std::move(tell)) {}

Refresher::Stamp Refresher::stamp() const {
  struct stat found{};
  if (::fstatat(store_->directory_fd(), "index.json", &found, AT_SYMLINK_NOFOLLOW) != 0) return {};
  return {.inode = found.st_ino, .size = found.st_size, .modified = found.st_mtim};
}

void Refresher::refresh() {
  const std::lock_guard refreshing(refreshing_);
  const Stamp now = stamp();
  Tree::Changes changes;
  try {
    changes = tree_.reload();
  } catch (const Error& error) {
    if (!std::exchange(failing_, true)) log(LOG_WARNING, error.sentence());
    return;
  }
  failing_ = false;
  tell_(changes);
  const std::lock_guard lock(mutex_);
  seen_ = now;
}

void Refresher::refresh_if_changed() {
  const Stamp now = stamp();
  {
    const std::lock_guard lock(mutex_);
    if (seen_ == now) return;
  }
  refresh();
}

}  // namespace imagefs::fs
