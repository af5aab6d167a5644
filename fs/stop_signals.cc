#include "fs/stop_signals.h"

#include <poll.h>
#include <sys/signalfd.h>

#include <array>
#include <cerrno>
#include <csignal>

#include "blobstore/error.h"

namespace imagefs::fs {
namespace {

bool is_ignored(int signal) {
  struct sigaction action{};
  return ::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

}  // namespace

StopSignals::StopSignals() {
  ::signal(SIGPIPE, SIG_IGN);  // who reads our log or waits for us may end first
  sigset_t signals;
  ::sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) {
    if (signal == SIGHUP && is_ignored(signal)) continue;
    ::sigaddset(&signals, signal);
    ::signal(signal, SIG_DFL);
  }
  if (const int error = ::pthread_sigmask(SIG_BLOCK, &signals, nullptr); error != 0) {
    throw Error(error, "the signals that end the mount cannot be blocked");
  }
  fd_.reset(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd_) throw_errno("signalfd");
}

bool StopSignals::wait(int other) const {
  std::array<pollfd, 2> polled{{{.fd = fd_.get(), .events = POLLIN, .revents = 0},
                                {.fd = other, .events = POLLIN, .revents = 0}}};
  while (::poll(polled.data(), polled.size(), -1) < 0) {
    if (errno != EINTR) throw_errno("poll");
  }
  return polled[0].revents != 0;
}

}  // namespace imagefs::fs
