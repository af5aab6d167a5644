// Who sent a request, and what /proc says of them.
#pragma once

#include <sys/types.h>

namespace imagefs::fs {

struct Caller {
  uid_t uid;
  gid_t gid;
  pid_t pid;  // of the thread; 0 when it is not visible from here (another pid namespace)
};

// The process that the thread belongs to; 0 when it cannot be found.
[[nodiscard]] pid_t thread_group(pid_t thread);

// Whether a signal that ends the process waits for this thread, or the thread is gone. A signal
// that is handled or ignored is none: a program must not see EINTR from a file because of a timer.
[[nodiscard]] bool is_dying(pid_t thread);

}  // namespace imagefs::fs
