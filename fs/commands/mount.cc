#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <exception>
#include <utility>

#include "blobstore/error.h"
#include "blobstore/unique_fd.h"
#include "fs/commands/commands.h"
#include "fs/commands/mount_check.h"
#include "fs/commands/text.h"
#include "fs/log.h"
#include "fs/session.h"

namespace imagefs::fs::commands {
namespace {

// What the daemon says through its pipe when it is ready; anything else is why it failed.
constexpr std::string_view kReady = "ready";

struct Pipe {
  UniqueFd reader;
  UniqueFd writer;
};

Pipe make_pipe() {
  std::array<int, 2> fds{};
  if (::pipe2(fds.data(), O_CLOEXEC) != 0) throw_errno("pipe");
  return {UniqueFd(fds[0]), UniqueFd(fds[1])};
}

void say(const UniqueFd& to, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(to.get(), text.data(), text.size());
    if (written < 0) return;  // the parent is gone: nobody wants to know
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

// From now on nothing holds the terminal, or a pipe whose reader waits for its end. Not before the
// mount: below an automount point only systemd's own process group can make it (autofs(5)).
void leave_terminal() {
  ::setsid();
  const UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!null) throw_errno("/dev/null");
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::dup2(null.get(), stream);
}

int run_daemon(const MountOptions& options, UniqueFd parent) {
  try {
    if (::chdir("/") != 0) throw_errno("/");
    serve(options, [&parent] {
      leave_terminal();
      log_to_syslog();
      say(parent, kReady);
      parent.reset();
    });
    return 0;
  } catch (const std::exception& error) {
    if (parent) say(parent, error.what());
    return 1;
  }
}

std::string read_to_end(const UniqueFd& from) {
  std::string text;
  std::array<char, 512> buffer{};
  for (;;) {
    const ssize_t got = ::read(from.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

std::string how_it_ended(pid_t child) {
  int state = 0;
  if (::waitpid(child, &state, 0) == child && WIFSIGNALED(state)) {
    return std::string("it was ended by the signal ") + ::strsignal(WTERMSIG(state));
  }
  return "it ended without a word";
}

int await_daemon(pid_t child, const UniqueFd& daemon) {
  const std::string verdict = read_to_end(daemon);
  if (verdict == kReady) return 0;
  report(verdict.empty() ? "the daemon did not mount: " + how_it_ended(child) : verdict);
  return 1;
}

// The daemon is the child: whoever called waits until it answers requests.
int serve_in_background(const MountOptions& options) {
  // A descriptor that a caller left open (a lock, a pipe) must not live as long as the mount.
  ::close_range(STDERR_FILENO + 1, ~0U, 0);
  Pipe pipe = make_pipe();
  const pid_t child = ::fork();
  if (child < 0) throw_errno("fork");
  if (child == 0) {
    pipe.reader.reset();
    return run_daemon(options, std::move(pipe.writer));
  }
  pipe.writer.reset();
  return await_daemon(child, pipe.reader);
}

}  // namespace

int mount(MountOptions options, bool foreground) {
  options.store = std::filesystem::absolute(options.store);
  options.mountpoint = resolve_mountpoint(options.mountpoint);
  check_mountable(options);
  if (!foreground) return serve_in_background(options);
  serve(options, [] {});
  return 0;
}

}  // namespace imagefs::fs::commands
