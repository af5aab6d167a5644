// Reads the command line and does what it says.
#pragma once

namespace imagefs::fs::commands {

// The exit status: 0, 1 when something failed, 2 for a command line that cannot be understood. What
// went wrong has been written to standard error then. Throws nothing.
[[nodiscard]] int run(int argc, char** argv) noexcept;

}  // namespace imagefs::fs::commands
