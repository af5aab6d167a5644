#include "importer/free_space.h"

#include <sys/statvfs.h>

#include <cerrno>
#include <string>

#include "blobstore/error.h"

namespace imagefs::importer {
namespace {

std::uint64_t free_bytes(int fd) {
  struct statvfs disk{};
  if (::fstatvfs(fd, &disk) != 0) throw_errno("looking at the store's disk");
  return std::uint64_t{disk.f_bavail} * disk.f_frsize;
}

}  // namespace

bool has_free(int fd, std::uint64_t min_free) {
  return min_free == 0 || free_bytes(fd) >= min_free;
}

void require_free(int fd, std::uint64_t min_free) {
  if (min_free == 0) return;
  const std::uint64_t free = free_bytes(fd);
  if (free >= min_free) return;
  throw Error(ENOSPC, "the store's disk has " + std::to_string(free) + " bytes left; " +
                          std::to_string(min_free) + " must stay free");
}

}  // namespace imagefs::importer
