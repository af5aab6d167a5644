// Tells of changes that others make to a store: inotify(7) on its directory.
#pragma once

#include <functional>
#include <thread>

#include "blobstore/store.h"
#include "blobstore/unique_fd.h"

namespace imagefs::fs {

class Watch {
 public:
  // Calls `changed` in a thread of its own, until destroyed, after index.json was replaced or
  // written. `changed` must not throw. Throws Error when inotify has no room (then a change is seen
  // at the next lookup only).
  Watch(const blobstore::Store& store, std::function<void()> changed);
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  ~Watch();

 private:
  void run();
  [[nodiscard]] bool read_events();

  const std::function<void()> changed_;
  UniqueFd inotify_;
  UniqueFd stop_;
  std::thread thread_;
};

}  // namespace imagefs::fs
