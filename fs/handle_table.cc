#include "fs/handle_table.h"

#include <cerrno>
#include <utility>

#include "blobstore/error.h"

namespace imagefs::fs {

std::uint64_t HandleTable::add(Handle handle) {
  auto shared = std::make_shared<const Handle>(std::move(handle));
  const std::lock_guard lock(mutex_);
  handles_.emplace(++last_, std::move(shared));
  return last_;
}

HandlePtr HandleTable::get(std::uint64_t number) const {
  const std::lock_guard lock(mutex_);
  const auto found = handles_.find(number);
  if (found == handles_.end()) throw Error(EBADF, "not an open file");
  return found->second;
}

HandlePtr HandleTable::take(std::uint64_t number) {
  const std::lock_guard lock(mutex_);
  const auto found = handles_.find(number);
  if (found == handles_.end()) throw Error(EBADF, "not an open file");
  HandlePtr handle = std::move(found->second);
  handles_.erase(found);
  return handle;
}

}  // namespace imagefs::fs
