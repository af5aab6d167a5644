#include "fs/fuse_passthrough.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/fuse.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "fs/fuse_request.h"

namespace imagefs::fs {

#if FUSE_VERSION >= FUSE_MAKE_VERSION(3, 17) && defined(FUSE_DEV_IOC_BACKING_OPEN)

namespace {

// Without it the kernel takes no file: then it is not asked, for passthrough makes the mount a
// stacked filesystem, and two of these is all that may stand upon one another.
bool is_administrator() {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> sets{};
  if (::syscall(SYS_capget, &header, sets.data()) != 0) return false;
  return (sets[CAP_TO_INDEX(CAP_SYS_ADMIN)].effective & CAP_TO_MASK(CAP_SYS_ADMIN)) != 0;
}

}  // namespace

std::string describe_libfuse() {
  return "libfuse " + std::string(::fuse_pkgversion()) + ", passthrough";
}

bool want_passthrough(fuse_conn_info& session) {
  if ((session.capable & FUSE_CAP_PASSTHROUGH) == 0 || !is_administrator()) return false;
  session.want |= FUSE_CAP_PASSTHROUGH;
  session.max_backing_stack_depth = 0;  // overlayfs can be mounted over it
  return true;
}

// libfuse's own calls want an unanswered request, and write what fails to standard error.
BackingFiles::Kernel kernel_behind(int connection) {
  return {.open =
              [connection](int fd) {
                fuse_backing_map map{.fd = fd, .flags = 0, .padding = 0};
                const int id = ::ioctl(connection, FUSE_DEV_IOC_BACKING_OPEN, &map);
                return id >= 0 ? id : -errno;
              },
          .close =
              [connection](int id) {
                const auto number = static_cast<std::uint32_t>(id);
                ::ioctl(connection, FUSE_DEV_IOC_BACKING_CLOSE, &number);
              }};
}

void set_backing(fuse_file_info& file, int id) {
  file.backing_id = id;
  file.keep_cache = 0;
  file.direct_io = (file.flags & O_DIRECT) != 0;
}

#else

std::string describe_libfuse() { return "libfuse " + std::string(::fuse_pkgversion()); }

bool want_passthrough(fuse_conn_info& /*session*/) { return false; }

BackingFiles::Kernel kernel_behind(int /*connection*/) {
  return {.open = [](int /*fd*/) { return -EOPNOTSUPP; }, .close = [](int /*id*/) {}};
}

void set_backing(fuse_file_info& /*file*/, int /*id*/) {}

#endif

}  // namespace imagefs::fs
