// What systemd is told of the mount (sd_notify(3)); nothing when it did not start us.
#pragma once

#include <filesystem>
#include <thread>

#include "blobstore/unique_fd.h"

namespace imagefs::fs {

class ServiceManager {
 public:
  // The mount answers requests. From now on the watchdog is fed, each time the mountpoint can be
  // looked at: a mount that hangs is restarted.
  explicit ServiceManager(const std::filesystem::path& mountpoint);
  ServiceManager(const ServiceManager&) = delete;
  ServiceManager& operator=(const ServiceManager&) = delete;
  // Waits for a look at the mountpoint, so disconnect from the kernel first.
  ~ServiceManager();

  // The mount is going away.
  void stopping();

 private:
  void feed(const std::filesystem::path& mountpoint, int period);

  UniqueFd stop_;
  std::thread watchdog_;
};

}  // namespace imagefs::fs
