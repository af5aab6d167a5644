#include "importer/cache_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <filesystem>

#include "blobstore/error.h"
#include "blobstore/files.h"
#include "blobstore/temporary_file.h"

namespace imagefs::importer {
namespace {

constexpr mode_t kMode = 0644;

UniqueFd find_directory(int parent, const std::string& name) {
  return UniqueFd(openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

UniqueFd make_directory(int parent, const std::string& name) {
  if (mkdirat(parent, name.c_str(), 0755) != 0 && errno != EEXIST) return {};
  return find_directory(parent, name);
}

}  // namespace

UniqueFd open_cache(int store_fd, const std::string& name) {
  const UniqueFd cache = make_directory(store_fd, "cache");
  if (!cache) return {};
  UniqueFd directory = make_directory(cache.get(), name);
  if (directory && faccessat(directory.get(), ".", W_OK, AT_EACCESS) != 0) directory.reset();
  return directory;
}

UniqueFd find_cache(int store_fd, const std::string& name) {
  const UniqueFd cache = find_directory(store_fd, "cache");
  return cache ? find_directory(cache.get(), name) : UniqueFd();
}

CacheFile::CacheFile(int directory_fd) {
  UniqueFd temporary_directory;
  if (directory_fd < 0) {
    const std::string path = std::filesystem::temp_directory_path();
    temporary_directory.reset(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!temporary_directory) throw_errno(path);
    directory_fd = temporary_directory.get();
  }
  if (auto unnamed = blobstore::make_unnamed_file(directory_fd, kMode)) {
    fd_ = *std::move(unnamed);
  } else {
    make_named(directory_fd);
  }
}

CacheFile::CacheFile(CacheFile&& other) noexcept
    : fd_(std::move(other.fd_)),
      directory_(std::move(other.directory_)),
      temporary_(std::exchange(other.temporary_, {})) {}

CacheFile::~CacheFile() {
  if (!temporary_.empty()) unlinkat(directory_.get(), temporary_.c_str(), 0);
}

void CacheFile::make_named(int directory_fd) {
  directory_.reset(openat(directory_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory_) throw_errno("a file in cache/");
  auto [fd, name] = blobstore::make_named_file(directory_fd, kMode);
  fd_ = std::move(fd);
  temporary_ = std::move(name);
}

void CacheFile::publish(int directory_fd, const std::string& name) {
  if (temporary_.empty()) {
    if (blobstore::link_open_file(fd_.get(), directory_fd, name)) return;
    if (errno != EEXIST) throw_errno("cache/ … " + name);
    directory_.reset(openat(directory_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory_) throw_errno("cache/ … " + name);
    temporary_ = blobstore::name_file(fd_, directory_fd);
  }
  if (renameat(directory_.get(), temporary_.c_str(), directory_fd, name.c_str()) != 0) {
    throw_errno("cache/ … " + name);
  }
  // Where both names were links to this file, the rename has done nothing.
  unlinkat(directory_.get(), temporary_.c_str(), 0);
  temporary_.clear();
}

void write_at(int fd, const void* data, std::size_t size, std::uint64_t offset) {
  const auto* bytes = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t written = pwrite(fd, bytes, size, static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw_errno("a file in cache/");
    bytes += written;
    size -= static_cast<std::size_t>(written);
    offset += static_cast<std::uint64_t>(written);
  }
}

}  // namespace imagefs::importer
