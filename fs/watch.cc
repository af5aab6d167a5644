#include "fs/watch.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include "blobstore/error.h"

namespace imagefs::fs {
namespace {

constexpr std::uint32_t kEvents = IN_MOVED_TO | IN_CLOSE_WRITE | IN_CREATE | IN_DELETE;
constexpr std::size_t kBuffer = 16 << 10;

}  // namespace

Watch::Watch(const blobstore::Store& store, std::function<void()> changed)
    : changed_(std::move(changed)),
      inotify_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)),
      stop_(::eventfd(0, EFD_CLOEXEC)) {
  if (!inotify_ || !stop_) throw_errno("inotify");
  const std::string path = "/proc/self/fd/" + std::to_string(store.directory_fd());
  if (::inotify_add_watch(inotify_.get(), path.c_str(), kEvents) < 0) {
    throw_errno("watching " + store.path().string());
  }
  thread_ = std::thread([this] { run(); });
}

Watch::~Watch() {
  ::eventfd_write(stop_.get(), 1);
  thread_.join();
}

void Watch::run() {
  std::array<pollfd, 2> polled{{{.fd = inotify_.get(), .events = POLLIN, .revents = 0},
                                {.fd = stop_.get(), .events = POLLIN, .revents = 0}}};
  for (;;) {
    if (::poll(polled.data(), polled.size(), -1) < 0) continue;  // EINTR
    if (polled[1].revents != 0) return;
    if (read_events()) changed_();
  }
}

bool Watch::read_events() {
  alignas(inotify_event) std::array<char, kBuffer> buffer;
  bool changed = false;
  ssize_t size = 0;
  while ((size = ::read(inotify_.get(), buffer.data(), buffer.size())) > 0) {
    for (std::size_t at = 0; at < static_cast<std::size_t>(size);) {
      inotify_event event{};
      std::memcpy(&event, buffer.data() + at, sizeof event);
      const char* name = buffer.data() + at + sizeof event;
      changed |= (event.mask & IN_Q_OVERFLOW) != 0;
      changed |= event.len != 0 && std::string_view(name) == "index.json";
      at += sizeof event + event.len;
    }
  }
  return changed;
}

}  // namespace imagefs::fs
