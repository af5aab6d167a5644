#include "fs/commands/mount_check.h"

#include <mntent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>

#include "blobstore/error.h"

namespace imagefs::fs::commands {
namespace {

using std::filesystem::path;

void check_directory(const path& mountpoint) {
  const std::string name = mountpoint.string();
  struct stat attributes{};
  if (::stat(name.c_str(), &attributes) != 0) {
    if (errno == ENOTCONN) {
      throw Error(
          ENOTCONN,
          name + ": a mount whose daemon has ended is in the way: clear it with `fusermount3 -uz " +
              name + "`, as root `umount -l " + name + "`");
    }
    if (errno == ENOENT) throw Error(ENOENT, name + ": there is no such directory: make it first");
    throw_errno(name);
  }
  if (!S_ISDIR(attributes.st_mode)) throw Error(ENOTDIR, name + ": is not a directory");
}

bool is_imagefs_mounted(const path& mountpoint) {
  const auto close = [](FILE* file) { ::endmntent(file); };
  const std::unique_ptr<FILE, decltype(close)> mounts(::setmntent("/proc/self/mounts", "re"),
                                                      close);
  if (!mounts) return false;
  while (const mntent* entry = ::getmntent(mounts.get())) {
    const std::string_view type = entry->mnt_type;
    if (type == "fuse.imagefs" && mountpoint == entry->mnt_dir) return true;
  }
  return false;
}

void check_store_stays_visible(const MountOptions& options) {
  const path store = std::filesystem::weakly_canonical(options.store);
  const auto [end, rest] = std::ranges::mismatch(options.mountpoint, store);
  if (end == options.mountpoint.end()) {
    throw Error(EINVAL,
                options.mountpoint.string() + ": the mount would hide its store " + store.string());
  }
}

void check_fuse_device() {
  if (::access("/dev/fuse", R_OK | W_OK) == 0) return;
  if (errno == ENOENT) throw Error(ENOENT, "/dev/fuse is not there: load the kernel module fuse");
  throw_errno("/dev/fuse");
}

bool others_may_be_allowed() {
  std::ifstream config("/etc/fuse.conf");
  for (std::string line; std::getline(config, line);) {
    line.erase(std::min(line.find_last_not_of(" \t\r") + 1, line.size()));
    if (line == "user_allow_other") return true;
  }
  return false;
}

void check_allow_other(const MountOptions& options) {
  if (!options.allow_other || ::geteuid() == 0 || others_may_be_allowed()) return;
  throw Error(EPERM,
              "allow_other: /etc/fuse.conf does not have the line user_allow_other, which lets "
              "ordinary users say it");
}

}  // namespace

path resolve_mountpoint(const path& mountpoint) {
  check_directory(mountpoint);
  return std::filesystem::canonical(mountpoint);
}

void check_mountable(const MountOptions& options) {
  if (is_imagefs_mounted(options.mountpoint)) {
    throw Error(EBUSY, options.mountpoint.string() + ": an imagefs is mounted there already");
  }
  check_store_stays_visible(options);
  check_fuse_device();
  check_allow_other(options);
}

}  // namespace imagefs::fs::commands
