// A mounted store: libfuse's session, its threads, the imports that arrive, and the watch on the
// store's directory.
#pragma once

#include <functional>
#include <memory>

#include "fs/mount_options.h"

namespace imagefs::fs {

// Mounts, calls `ready` once requests are answered, and serves until unmounted or until SIGTERM,
// SIGINT or SIGHUP, which unmounts lazily and ends imports cleanly. Call it from the main thread of
// a process with no other threads yet. Throws Error when the mount cannot be made (then `ready` was
// not called).
void serve(const MountOptions& options, const std::function<void()>& ready);

}  // namespace imagefs::fs
