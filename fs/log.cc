#include "fs/log.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <string>
#include <utility>

namespace imagefs::fs {
namespace {

std::atomic<bool>& is_daemon() {
  static std::atomic<bool> value = false;
  return value;
}

}  // namespace

std::string one_line(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return (c >= 0 && c < ' ') || c == '\x7f'; }, ' ');
  return text;
}

void log_to_syslog() {
  ::openlog("imagefs", LOG_PID, LOG_DAEMON);
  is_daemon() = true;
}

void log(int priority, const std::string& text) {
  if (is_daemon()) {
    ::syslog(priority, "%s", one_line(text).c_str());
    return;
  }
  static const bool journal = std::getenv("JOURNAL_STREAM") != nullptr;
  const std::string prefix = journal ? "<" + std::to_string(priority) + ">" : "imagefs: ";
  const std::string line = prefix + one_line(text) + "\n";
  // A log line that cannot be written has nowhere to be reported.
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace imagefs::fs
