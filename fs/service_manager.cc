#include "fs/service_manager.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>

#include <cstdint>

#ifdef IMAGEFS_HAVE_SYSTEMD
#include <systemd/sd-daemon.h>
#endif

namespace imagefs::fs {
namespace {

#ifdef IMAGEFS_HAVE_SYSTEMD
void notify(const char* state) { ::sd_notify(0, state); }

// Milliseconds between two signs of life, half of what is allowed; 0: none is expected.
int watchdog_period() {
  std::uint64_t microseconds = 0;
  if (::sd_watchdog_enabled(0, &microseconds) <= 0) return 0;
  return static_cast<int>(microseconds / 2000);
}
#else
void notify(const char* /*state*/) {}
int watchdog_period() { return 0; }
#endif

}  // namespace

ServiceManager::ServiceManager(const std::filesystem::path& mountpoint)
    : stop_(::eventfd(0, EFD_CLOEXEC)) {
  notify("READY=1");
  const int period = watchdog_period();
  if (period > 0 && stop_) watchdog_ = std::thread([=, this] { feed(mountpoint, period); });
}

ServiceManager::~ServiceManager() {
  if (!watchdog_.joinable()) return;
  ::eventfd_write(stop_.get(), 1);
  watchdog_.join();
}

void ServiceManager::stopping() { notify("STOPPING=1"); }

void ServiceManager::feed(const std::filesystem::path& mountpoint, int period) {
  pollfd stop{.fd = stop_.get(), .events = POLLIN, .revents = 0};
  while (::poll(&stop, 1, period) <= 0) {
    struct stat ignored{};
    if (::stat(mountpoint.c_str(), &ignored) == 0) notify("WATCHDOG=1");
  }
}

}  // namespace imagefs::fs
