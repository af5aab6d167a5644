#include "fs/drop_memory.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <sstream>

#include "blobstore/error.h"

namespace imagefs::fs {
namespace {

constexpr auto kCache = "cache";
constexpr auto kFile = "cache/dropped";
constexpr auto kNewFile = "cache/dropped.new";

std::string line_of(const DropMemory::File& file) {
  std::ostringstream line;
  line << file.device << ' ' << file.inode << ' ' << file.size << ' ' << file.seconds << ' '
       << file.nanoseconds << '\n';
  return line.str();
}

UniqueFd open_file(int directory_fd, const char* path, int flags) {
  if (::mkdirat(directory_fd, kCache, 0755) != 0 && errno != EEXIST) throw_errno(kCache);
  UniqueFd file(
      ::openat(directory_fd, path, flags | O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644));
  if (!file) throw_errno(path);
  return file;
}

std::string read_all(int fd) {
  std::string text;
  std::array<char, 16384> buffer;
  for (;;) {
    const ssize_t count = ::read(fd, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw_errno(kFile);
    if (count == 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(count));
  }
}

// A line that a full disk cut is skipped when it is read back. It is on disk then: forgotten in a
// power failure, an old archive would be imported again, and take its names back.
void append(int fd, const std::string& text) {
  if (::write(fd, text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    throw_errno(kFile);
  if (::fdatasync(fd) != 0) throw_errno(kFile);
}

}  // namespace

DropMemory::File::File(const struct stat& attributes)
    : device(attributes.st_dev),
      inode(attributes.st_ino),
      size(attributes.st_size),
      seconds(attributes.st_mtim.tv_sec),
      nanoseconds(attributes.st_mtim.tv_nsec) {}

DropMemory::DropMemory(int directory_fd)
    : directory_fd_(directory_fd), file_(open_file(directory_fd, kFile, O_APPEND)) {
  std::istringstream lines(read_all(file_.get()));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields(line);
    File file;
    if (fields >> file.device >> file.inode >> file.size >> file.seconds >> file.nanoseconds)
      known_.insert(file);
  }
}

void DropMemory::add(const File& file) {
  if (!known_.insert(file).second) return;
  append(file_.get(), line_of(file));
}

void DropMemory::keep(const std::set<File>& present) {
  const std::size_t before = known_.size();
  std::erase_if(known_, [&](const File& file) { return !present.contains(file); });
  if (known_.size() == before) return;
  std::string text;
  for (const File& file : known_) text += line_of(file);
  UniqueFd replacement = open_file(directory_fd_, kNewFile, O_APPEND | O_TRUNC);
  append(replacement.get(), text);
  if (::renameat(directory_fd_, kNewFile, directory_fd_, kFile) != 0) throw_errno(kFile);
  file_ = std::move(replacement);
}

}  // namespace imagefs::fs
