// The other way to say "mount": what mount(8) runs for /etc/fstab, .mount units and `mount -t`.
//
//   imagefs STORE MOUNTPOINT -o rw,allow_other,dev,suid      for -t fuse.imagefs, by mount.fuse(8)
//   mount.imagefs STORE MOUNTPOINT [-sfnv] [-N NAMESPACE] [-o OPTIONS] [-t TYPE]      for -t
//   imagefs
#pragma once

namespace imagefs::fs::commands {

// Whether the arguments have one of these forms.
[[nodiscard]] bool is_mount_helper(int argc, char* const* argv);
// The exit status. A store named `imagefs` or `none` is the default one. Throws Error; EINVAL for
// arguments that cannot be understood.
[[nodiscard]] int run_mount_helper(int argc, char** argv);

}  // namespace imagefs::fs::commands
