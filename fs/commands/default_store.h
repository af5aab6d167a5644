// Where the store is when nobody says.
#pragma once

#include <filesystem>

namespace imagefs::fs::commands {

// /var/lib/imagefs for root, else $XDG_DATA_HOME/imagefs or ~/.local/share/imagefs. Throws
// Error{ENOENT} when there is no home directory.
[[nodiscard]] std::filesystem::path default_store();

}  // namespace imagefs::fs::commands
