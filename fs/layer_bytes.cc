#include "fs/layer_bytes.h"

#include <unistd.h>

#include <cerrno>

#include "blobstore/error.h"

namespace imagefs::fs {

void PlainLayerBytes::read(std::span<std::byte> into, std::uint64_t offset) {
  read_fully(fd_.get(), into, offset);
}

void read_fully(int fd, std::span<std::byte> into, std::uint64_t offset) {
  while (!into.empty()) {
    const ssize_t count = ::pread(fd, into.data(), into.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw_errno("a layer cannot be read");
    if (count == 0) throw Error(EIO, "a layer ends before its files do");
    into = into.subspan(static_cast<std::size_t>(count));
    offset += static_cast<std::uint64_t>(count);
  }
}

}  // namespace imagefs::fs
