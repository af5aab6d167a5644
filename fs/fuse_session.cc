#include "fs/fuse_session.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>

#include "blobstore/error.h"
#include "fs/fuse_mount.h"
#include "fs/fuse_passthrough.h"
#include "fs/fuse_request.h"
#include "fs/log.h"

namespace imagefs::fs {
namespace {

constexpr unsigned kMaxWrite = 1 << 20;  // bytes; the kernel's most (fs.fuse.max_pages_limit)
// Reads ahead that may wait for answers, in all files together: with the kernel's 12 a few readers
// of what is slow would keep all others waiting in the kernel.
constexpr unsigned kMaxBackground = 1024;
constexpr int kWakeSignal = SIGUSR1;
constexpr std::chrono::milliseconds kWakePeriod{10};

void init(void* data, fuse_conn_info* connection) {
  // AUTO_INVAL_DATA: a cached listing is compared with its directory's time.
  constexpr unsigned kWanted = FUSE_CAP_ATOMIC_O_TRUNC | FUSE_CAP_READDIRPLUS |
                               FUSE_CAP_READDIRPLUS_AUTO | FUSE_CAP_PARALLEL_DIROPS |
                               FUSE_CAP_CACHE_SYMLINKS | FUSE_CAP_ASYNC_READ |
                               FUSE_CAP_AUTO_INVAL_DATA;
  connection->want = connection->capable & kWanted;
  connection->max_write = kMaxWrite;
  connection->max_background = kMaxBackground;
  auto& mount = *static_cast<Mount*>(data);
  // Of a read-only mount the kernel has nothing open that could be a file's.
  if (mount.read_only || !want_passthrough(*connection)) return;
  mount.backing.start(kernel_behind(mount.connection));
}

fuse_lowlevel_ops make_operations() {
  fuse_lowlevel_ops operations{};
  operations.init = init;
  add_read_operations(operations);
  add_write_operations(operations);
  return operations;
}

// read(2) of a request returns EINTR then.
void let_signal_interrupt() {
  struct sigaction action{};
  action.sa_handler = [](int) {};
  ::sigaction(kWakeSignal, &action, nullptr);
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, kWakeSignal);
  ::pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
}

// As a user: only the set-uid helper may.
void spawn_unmount(const std::string& mountpoint) {
  std::array<std::string, 5> words{"fusermount3", "-uzq", "--", mountpoint};
  std::array<char*, 5> arguments{words[0].data(), words[1].data(), words[2].data(), words[3].data(),
                                 nullptr};
  pid_t child = 0;
  const int error =
      ::posix_spawnp(&child, "fusermount3", nullptr, nullptr, arguments.data(), environ);
  if (error != 0) throw Error(error, "fusermount3 cannot be run");
  int state = 0;
  while (::waitpid(child, &state, 0) < 0 && errno == EINTR) {
  }
  if (state != 0) throw Error(EBUSY, "fusermount3 did not unmount " + mountpoint);
}

}  // namespace

FuseSession::FuseSession(const std::vector<std::string>& options, Mount& mount)
    : mount_(mount), session_(nullptr, ::fuse_session_destroy), ended_(::eventfd(0, EFD_CLOEXEC)) {
  if (!ended_) throw_errno("eventfd");
  std::vector<std::string> words{"imagefs"};
  for (const std::string& option : options) words.insert(words.end(), {"-o", option});
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  fuse_args args = FUSE_ARGS_INIT(static_cast<int>(arguments.size()), arguments.data());
  static const fuse_lowlevel_ops operations = make_operations();
  session_.reset(::fuse_session_new(&args, &operations, sizeof operations, &mount));
  ::fuse_opt_free_args(&args);
  if (!session_) throw Error(EINVAL, "a mount option is not known");
}

FuseSession::~FuseSession() {
  stop();
  disconnect();
}

void FuseSession::mount(const std::filesystem::path& mountpoint) {
  if (::fuse_session_mount(session_.get(), mountpoint.c_str()) != 0) {
    throw Error(EIO, mountpoint.string() + ": cannot be mounted");
  }
  mountpoint_ = mountpoint;
  mount_.connection = ::fuse_session_fd(session_.get());
}

void FuseSession::start(unsigned threads) {
  let_signal_interrupt();
  for (unsigned i = 0; i < threads; ++i) {
    ++serving_;
    try {
      threads_.emplace_back([this] { serve(); });
    } catch (...) {
      --serving_;
      throw;
    }
  }
}

void FuseSession::serve() {
  fuse_buf buffer{};
  while (::fuse_session_exited(session_.get()) == 0) {
    const int size = ::fuse_session_receive_buf(session_.get(), &buffer);
    if (size == -EINTR) continue;
    if (size <= 0) break;  // unmounted
    ::fuse_session_process_buf(session_.get(), &buffer);
  }
  ::free(buffer.mem);  // NOLINT: libfuse has allocated it
  --serving_;
  ::eventfd_write(ended_.get(), 1);
}

void FuseSession::unmount() {
  try {
    if (::umount2(mountpoint_.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) == 0) return;
    if (errno != EPERM) throw_errno(mountpoint_);
    spawn_unmount(mountpoint_);
  } catch (const Error& error) {
    log(LOG_WARNING, error.sentence());
  }
}

void FuseSession::stop() {
  ::fuse_session_exit(session_.get());
  // A signal that comes between a thread's look at the flag and its read is lost: so more than one.
  while (serving_ != 0) {
    for (std::thread& thread : threads_) ::pthread_kill(thread.native_handle(), kWakeSignal);
    std::this_thread::sleep_for(kWakePeriod);
  }
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void FuseSession::disconnect() {
  const int connection = ::fuse_session_fd(session_.get());
  if (mountpoint_.empty()) return;
  // libfuse would unmount whatever is at the mountpoint now. At a descriptor that polls as an error
  // it takes the mount as gone already, which it is.
  std::array<int, 2> pipe{};
  if (::pipe2(pipe.data(), O_CLOEXEC) != 0) return;
  ::close(pipe[0]);
  ::dup3(pipe[1], connection, O_CLOEXEC);
  ::close(pipe[1]);
  ::fuse_session_unmount(session_.get());
  mountpoint_.clear();
}

void FuseSession::invalidate(NodeId directory) {
  ::fuse_lowlevel_notify_inval_inode(session_.get(), directory, 0, 0);
}

}  // namespace imagefs::fs
