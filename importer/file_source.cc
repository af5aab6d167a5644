#include "importer/file_source.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "blobstore/error.h"

namespace imagefs::importer {
namespace {

constexpr std::size_t kBlock = 1U << 20;

}  // namespace

FileSource::FileSource(UniqueFd fd) : fd_(std::move(fd)), buffer_(kBlock) {
  // A pipe takes no advice, which is no failure.
  static_cast<void>(::posix_fadvise(fd_.get(), 0, 0, POSIX_FADV_SEQUENTIAL));
}

std::span<const std::byte> FileSource::next() {
  for (;;) {
    const ssize_t got = ::read(fd_.get(), buffer_.data(), buffer_.size());
    if (got >= 0) return {buffer_.data(), static_cast<std::size_t>(got)};
    if (errno != EINTR) throw_errno("reading the archive");
  }
}

}  // namespace imagefs::importer
