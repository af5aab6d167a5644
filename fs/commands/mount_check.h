// What can be known before mounting, said better than the kernel would.
#pragma once

#include "fs/mount_options.h"

namespace imagefs::fs::commands {

// The directory's absolute path without symlinks. Throws Error when it is no directory or has a
// dead mount on it.
[[nodiscard]] std::filesystem::path resolve_mountpoint(const std::filesystem::path& mountpoint);

// Throws Error when the mount cannot work: an imagefs is there already, it would hide the store,
// /dev/fuse cannot be opened, or allow_other is not permitted. The paths must be absolute.
void check_mountable(const MountOptions& options);

}  // namespace imagefs::fs::commands
