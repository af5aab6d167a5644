// struct stat for what the mount makes up.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <ctime>

#include "fs/image_child.h"
#include "fs/node.h"

namespace imagefs::fs {

// What read(2) is best done in: the kernel's largest readahead for FUSE.
inline constexpr blksize_t kBlockSize = 128 << 10;

// Mode 0755 without the umask; `subdirectories` are added to the two links of every directory.
[[nodiscard]] struct stat directory_attributes(NodeId id, const Owner& owner,
                                               std::uint64_t subdirectories, timespec mtime);
// Mode 0444 without the umask. `blocks`: of 512 bytes, as they are on disk.
[[nodiscard]] struct stat file_attributes(NodeId id, const Owner& owner, std::uint64_t size,
                                          std::uint64_t blocks, timespec mtime);
[[nodiscard]] struct stat symlink_attributes(NodeId id, const Owner& owner, std::uint64_t size,
                                             timespec mtime);

}  // namespace imagefs::fs
