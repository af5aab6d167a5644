#include "blobstore/files.h"

#include <dirent.h>
#include <fcntl.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <random>

#include "blobstore/error.h"

namespace imagefs::blobstore {
namespace {

constexpr std::size_t kReadStep = 64 << 10;

struct CloseDirectory {
  void operator()(DIR* directory) const noexcept { ::closedir(directory); }
};

std::optional<UniqueFd> open_at(int directory, const std::string& name, int flags,
                                const std::string& what) {
  UniqueFd fd(::openat(directory, name.c_str(), flags | O_NOFOLLOW | O_CLOEXEC));
  if (fd) return fd;
  if (errno == ENOENT) return std::nullopt;
  if (errno == ELOOP) throw Error(EIO, what + " is a symbolic link");
  if (errno == ENOTDIR) throw Error(EIO, what + " is no directory");
  throw_errno("cannot open " + what);
}

// The callers hold the store's lock: a file of that name is what a crash left.
UniqueFd create(int directory, const std::string& name) {
  remove_file(directory, name);
  UniqueFd fd(::openat(directory, name.c_str(),
                       O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644));
  if (!fd) throw_errno("cannot write to the store");
  return fd;
}

}  // namespace

std::optional<UniqueFd> open_regular(int directory, const std::string& name,
                                     const std::string& what) {
  auto fd = open_at(directory, name, O_RDONLY | O_NONBLOCK | O_NOCTTY, what);
  if (fd && !S_ISREG(status_of(fd->get(), what).st_mode)) {
    throw Error(EIO, what + " is no regular file");
  }
  return fd;
}

std::optional<UniqueFd> open_directory(int directory, const std::string& name,
                                       const std::string& what) {
  return open_at(directory, name, O_RDONLY | O_DIRECTORY, what);
}

UniqueFd make_directory(int directory, const std::string& name, const std::string& what) {
  if (auto fd = open_directory(directory, name, what)) return *std::move(fd);
  if (::mkdirat(directory, name.c_str(), 0755) != 0 && errno != EEXIST) {
    throw_errno("cannot make " + what);
  }
  sync(directory, what);
  auto fd = open_directory(directory, name, what);
  if (!fd) throw Error(ENOENT, what + " vanished");
  return *std::move(fd);
}

struct stat status_of(int fd, const std::string& what) {
  struct stat status{};
  if (::fstat(fd, &status) != 0) throw_errno("cannot stat " + what);
  return status;
}

std::optional<struct stat> find_status(int directory, const std::string& name,
                                       const std::string& what) {
  struct stat status{};
  if (::fstatat(directory, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0) return status;
  if (errno == ENOENT) return std::nullopt;
  throw_errno("cannot stat " + what);
}

bool same_file(const struct stat& one, const struct stat& other) {
  return one.st_ino == other.st_ino && one.st_size == other.st_size &&
         one.st_mtim.tv_sec == other.st_mtim.tv_sec && one.st_mtim.tv_nsec == other.st_mtim.tv_nsec;
}

std::string read_all(int fd, std::uint64_t limit, const std::string& what) {
  std::string bytes;
  for (;;) {
    const std::size_t used = bytes.size();
    bytes.resize(used + kReadStep);
    const ssize_t got = ::pread(fd, bytes.data() + used, kReadStep, static_cast<off_t>(used));
    if (got < 0 && errno != EINTR) throw_errno("cannot read " + what);
    bytes.resize(used + static_cast<std::size_t>(got < 0 ? 0 : got));
    if (got == 0) return bytes;
    if (bytes.size() > limit) {
      throw Error(EFBIG, what + " is larger than " + std::to_string(limit) + " bytes");
    }
  }
}

void write_all(int fd, std::span<const std::byte> bytes, std::uint64_t offset) {
  while (!bytes.empty()) {
    const ssize_t done = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) throw_errno("cannot write to the store");
    bytes = bytes.subspan(static_cast<std::size_t>(done));
    offset += static_cast<std::uint64_t>(done);
  }
}

void sync(int fd, const std::string& what) {
  if (::fsync(fd) != 0) throw_errno("cannot sync " + what);
}

void replace_file(int directory, const std::string& name, std::string_view bytes) {
  const std::string temporary = temporary_name(name);
  const UniqueFd fd = create(directory, temporary);
  try {
    write_all(fd.get(), std::as_bytes(std::span(bytes)), 0);
    sync(fd.get(), name);
    if (::renameat(directory, temporary.c_str(), directory, name.c_str()) != 0) {
      throw_errno("cannot replace " + name);
    }
  } catch (...) {
    ::unlinkat(directory, temporary.c_str(), 0);
    throw;
  }
  sync(directory, "the directory of " + name);
}

std::string temporary_name(const std::string& name) { return "." + name + ".new"; }

bool link_open_file(int fd, int directory, const std::string& name) {
  const std::string source = "/proc/self/fd/" + std::to_string(fd);
  return ::linkat(AT_FDCWD, source.c_str(), directory, name.c_str(), AT_SYMLINK_FOLLOW) == 0;
}

bool remove_file(int directory, const std::string& name) {
  if (::unlinkat(directory, name.c_str(), 0) == 0) return true;
  if (errno == ENOENT) return false;
  throw_errno("cannot remove " + name);
}

std::vector<std::string> names_in(int directory, const std::string& what) {
  UniqueFd fd(::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) throw_errno("cannot open " + what);
  const std::unique_ptr<DIR, CloseDirectory> stream(::fdopendir(fd.get()));
  if (!stream) throw_errno("cannot list " + what);
  (void)fd.release();
  std::vector<std::string> names;
  errno = 0;
  while (const dirent* entry = ::readdir(stream.get())) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
    errno = 0;
  }
  if (errno != 0) throw_errno("cannot list " + what);
  return names;
}

std::string random_name(std::string_view prefix) {
  std::random_device random;
  std::array<char, 17> hex{};
  std::snprintf(hex.data(), hex.size(), "%08x%08x", random(), random());
  return std::string(prefix) + hex.data();
}

}  // namespace imagefs::blobstore
