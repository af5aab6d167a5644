#include "importer/free_space.h"

#include <sys/statvfs.h>

#include <cerrno>
#include <string>

#include "blobstore/error.h"

namespace imagefs::importer {

void require_free(int fd, std::uint64_t min_free) {
  if (min_free == 0) return;
  struct statvfs disk{};
  if (::fstatvfs(fd, &disk) != 0) throw_errno("looking at the store's disk");
  const std::uint64_t free = std::uint64_t{disk.f_bavail} * disk.f_frsize;
  if (free >= min_free) return;
  throw Error(ENOSPC, "the store's disk has " + std::to_string(free) + " bytes left; " +
                          std::to_string(min_free) + " must stay free");
}

}  // namespace imagefs::importer
