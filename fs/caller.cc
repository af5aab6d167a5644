#include "fs/caller.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <csignal>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "blobstore/unique_fd.h"

namespace imagefs::fs {
namespace {

// /proc/<thread>/status, see proc_pid_status(5); nothing when there is no such thread.
std::optional<std::string> read_status(pid_t thread) {
  const std::string path = "/proc/" + std::to_string(thread) + "/status";
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return {};
  std::array<char, 8192> text{};
  const ssize_t size = ::read(fd.get(), text.data(), text.size());
  if (size <= 0) return {};
  return std::string(text.data(), static_cast<std::size_t>(size));
}

std::uint64_t field(std::string_view status, std::string_view key, int base) {
  const auto at = status.find(key);
  if (at == std::string_view::npos) return 0;
  const char* first = status.data() + at + key.size();
  std::uint64_t value = 0;
  std::from_chars(first, status.data() + status.size(), value, base);
  return value;
}

constexpr std::uint64_t bit(int signal) { return 1ULL << (signal - 1); }

// The kernel turns every other fatal signal into SIGKILL at once (complete_signal in
// kernel/signal.c); those that dump core stay as they are.
constexpr std::uint64_t kCoreDumping = bit(SIGQUIT) | bit(SIGILL) | bit(SIGTRAP) | bit(SIGABRT) |
                                       bit(SIGBUS) | bit(SIGFPE) | bit(SIGSEGV) | bit(SIGXCPU) |
                                       bit(SIGXFSZ) | bit(SIGSYS);

}  // namespace

pid_t thread_group(pid_t thread) {
  if (thread <= 0) return 0;
  const auto status = read_status(thread);
  return status ? static_cast<pid_t>(field(*status, "\nTgid:\t", 10)) : 0;
}

bool is_dying(pid_t thread) {
  const auto status = read_status(thread);
  if (!status) return true;
  const std::uint64_t pending =
      field(*status, "\nSigPnd:\t", 16) | field(*status, "\nShdPnd:\t", 16);
  const std::uint64_t held = field(*status, "\nSigBlk:\t", 16) | field(*status, "\nSigIgn:\t", 16) |
                             field(*status, "\nSigCgt:\t", 16);
  return (pending & bit(SIGKILL)) != 0 || (pending & kCoreDumping & ~held) != 0;
}

}  // namespace imagefs::fs
