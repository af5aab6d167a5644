// Log lines: one an import, one a refusal; on stderr, which systemd reads, or to syslog(3).
//
// Thread safety: log() may be called from any thread; a line is written whole.
#pragma once

#include <syslog.h>

#include <string>

namespace imagefs::fs {

// `priority`: LOG_INFO, LOG_WARNING …, as "<6>" in front of the line where journald reads it
// (sd-daemon(3)). Line breaks and other control characters in `text` become spaces.
void log(int priority, const std::string& text);

// Lines go to the system's log from now on: for a daemon that has left its terminal.
void log_to_syslog();

// The text in one line: control characters become spaces.
[[nodiscard]] std::string one_line(std::string text);

}  // namespace imagefs::fs
