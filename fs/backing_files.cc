#include "fs/backing_files.h"

#include <algorithm>
#include <cerrno>

namespace imagefs::fs {

BackingFiles::Open& BackingFiles::Open::operator=(Open&& other) noexcept {
  std::swap(files_, other.files_);
  std::swap(node_, other.node_);
  std::swap(id_, other.id_);
  return *this;
}

void BackingFiles::start(Kernel kernel) {
  const std::lock_guard lock(mutex_);
  kernel_ = std::move(kernel);
  is_taken_ = true;
}

BackingFiles::Open BackingFiles::open(NodeId node, std::optional<int> fd) {
  const std::lock_guard lock(mutex_);
  auto found = nodes_.find(node);
  if (found == nodes_.end()) {
    if (!is_taken_) return {};
    found = nodes_.try_emplace(node).first;
    if (fd) found->second.id = give_to_kernel(*fd);
  }
  ++found->second.count;
  return {*this, node, found->second.id};
}

// Nobody's file is taken from who may not give it (EPERM), and none from a filesystem that is
// stacked on others (ELOOP).
int BackingFiles::give_to_kernel(int fd) {
  const int id = kernel_.open(fd);
  if (id == -EPERM || id == -ELOOP) is_taken_ = false;
  return std::max(id, 0);
}

// The last to let go of a file that is removed may wait for the disk: not with the lock.
void BackingFiles::close(NodeId node) noexcept {
  Opened ended;
  {
    const std::lock_guard lock(mutex_);
    const auto found = nodes_.find(node);
    if (--found->second.count != 0) return;
    ended = found->second;
    nodes_.erase(found);
  }
  if (ended.id != 0) kernel_.close(ended.id);
}

}  // namespace imagefs::fs
