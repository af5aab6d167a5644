// SIGTERM, SIGINT and SIGHUP end the mount.
//
// Thread safety: make it in the main thread, before any other thread is started.
#pragma once

#include "blobstore/unique_fd.h"

namespace imagefs::fs {

class StopSignals {
 public:
  // Blocks the signals in this thread and in all that it will start, whatever the parent left
  // blocked or ignored; a SIGHUP that is ignored stays so (nohup(1)). Throws Error.
  StopSignals();

  // Waits. True: one of the signals came. False: `other` is readable.
  [[nodiscard]] bool wait(int other) const;

 private:
  UniqueFd fd_;
};

}  // namespace imagefs::fs
