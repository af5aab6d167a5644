#include "blobstore/temporary_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <utility>

#include "blobstore/error.h"
#include "blobstore/files.h"

namespace imagefs::blobstore {
namespace {

constexpr const char* kPrefix = ".tmp-";

bool try_lock(const UniqueFd& fd) {
  while (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return false;
    if (errno != EINTR) throw_errno("cannot lock a temporary file of the store");
  }
  return true;
}

}  // namespace

TemporaryFile make_named_file(int directory, mode_t mode) {
  for (;;) {
    std::string name = random_name(kPrefix);
    UniqueFd fd(::openat(directory, name.c_str(),
                         O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
    if (!fd) throw_errno("cannot write to the store");
    // A sweep may have come between the two calls.
    if (try_lock(fd) && status_of(fd.get(), name).st_nlink > 0) {
      return {std::move(fd), std::move(name)};
    }
  }
}

std::string name_file(const UniqueFd& fd, int directory) {
  if (!try_lock(fd)) throw Error(EBUSY, "an unnamed file of the store is locked");
  std::string name = random_name(kPrefix);
  if (!link_open_file(fd.get(), directory, name)) throw_errno("cannot name a file of the store");
  return name;
}

std::optional<UniqueFd> make_unnamed_file(int directory, mode_t mode) {
  UniqueFd fd(::openat(directory, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, mode));
  if (fd) return fd;
  if (errno == EOPNOTSUPP || errno == EISDIR || errno == ENOENT || errno == EINVAL) return {};
  throw_errno("cannot write to the store");
}

TemporaryFile make_temporary_file(const Directory& directory) {
  if (auto fd = make_unnamed_file(directory.sha256.get(), kBlobInMaking)) {
    return {*std::move(fd), {}};
  }
  sweep_named_files(directory.blobs.get());
  return make_named_file(directory.blobs.get(), kBlobInMaking);
}

void sweep_named_files(int directory) {
  for (const std::string& name : names_in(directory, "the store")) {
    if (!name.starts_with(kPrefix)) continue;
    const UniqueFd fd(
        ::openat(directory, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (fd && try_lock(fd)) remove_file(directory, name);
  }
}

}  // namespace imagefs::blobstore
