#include "fs/layer_eviction.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "blobstore/unique_fd.h"

namespace imagefs::fs {
namespace {

struct CachedFile {
  std::string name;
  timespec used;
  std::uint64_t size;
};

bool used_before(const CachedFile& a, const CachedFile& b) {
  return a.used.tv_sec != b.used.tv_sec ? a.used.tv_sec < b.used.tv_sec
                                        : a.used.tv_nsec < b.used.tv_nsec;
}

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

std::vector<CachedFile> files_in(int directory_fd) {
  std::vector<CachedFile> files;
  UniqueFd again(::openat(directory_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const std::unique_ptr<DIR, CloseDirectory> directory(again ? ::fdopendir(again.get()) : nullptr);
  if (!directory) return files;
  static_cast<void>(again.release());  // the DIR's now
  while (const dirent* const entry = ::readdir(directory.get())) {
    struct stat status{};
    const bool found = ::fstatat(directory_fd, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0;
    if (!found || !S_ISREG(status.st_mode)) continue;
    files.push_back({entry->d_name, status.st_mtim, static_cast<std::uint64_t>(status.st_size)});
  }
  return files;
}

}  // namespace

void evict_layers(int directory_fd, std::uint64_t limit) {
  std::vector<CachedFile> files = files_in(directory_fd);
  std::ranges::sort(files, used_before);
  std::uint64_t total = 0;
  for (const CachedFile& file : files) total += file.size;
  for (const CachedFile& file : files) {
    if (total <= limit) return;
    if (::unlinkat(directory_fd, file.name.c_str(), 0) == 0) total -= file.size;
  }
}

std::optional<LayerRoom::Taken> LayerRoom::take(int directory_fd, std::uint64_t size) {
  const std::lock_guard lock(mutex_);
  if (size > bytes_ - taken_) return std::nullopt;
  evict_layers(directory_fd, bytes_ - taken_ - size);
  taken_ += size;
  return Taken(*this, size);
}

void LayerRoom::give_back(std::uint64_t size) noexcept {
  const std::lock_guard lock(mutex_);
  taken_ -= size;
}

void mark_used(int fd) { static_cast<void>(::futimens(fd, nullptr)); }

}  // namespace imagefs::fs
