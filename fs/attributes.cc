#include "fs/attributes.h"

namespace imagefs::fs {
namespace {

struct stat common_attributes(NodeId id, const Owner& owner, mode_t mode, timespec mtime) {
  struct stat st = {};
  st.st_ino = id;
  st.st_mode = mode;
  st.st_nlink = 1;
  st.st_uid = owner.uid;
  st.st_gid = owner.gid;
  st.st_blksize = kBlockSize;
  st.st_atim = st.st_mtim = st.st_ctim = mtime;
  return st;
}

}  // namespace

struct stat directory_attributes(NodeId id, const Owner& owner, std::uint64_t subdirectories,
                                 timespec mtime) {
  struct stat st = common_attributes(id, owner, S_IFDIR | (0755 & ~owner.umask), mtime);
  st.st_nlink = 2 + subdirectories;
  return st;
}

struct stat file_attributes(NodeId id, const Owner& owner, std::uint64_t size, std::uint64_t blocks,
                            timespec mtime) {
  struct stat st = common_attributes(id, owner, S_IFREG | (0444 & ~owner.umask), mtime);
  st.st_size = static_cast<off_t>(size);
  st.st_blocks = static_cast<blkcnt_t>(blocks);
  return st;
}

struct stat symlink_attributes(NodeId id, const Owner& owner, std::uint64_t size, timespec mtime) {
  struct stat st = common_attributes(id, owner, S_IFLNK | 0777, mtime);
  st.st_size = static_cast<off_t>(size);
  return st;
}

}  // namespace imagefs::fs
