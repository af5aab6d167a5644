#include "fs/commands/default_store.h"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "blobstore/error.h"

namespace imagefs::fs::commands {

std::filesystem::path default_store() {
  if (::geteuid() == 0) return "/var/lib/imagefs";
  // The XDG base directory specification: a path that is not absolute is to be ignored.
  const char* const data = std::getenv("XDG_DATA_HOME");
  if (data != nullptr && data[0] == '/') return std::filesystem::path(data) / "imagefs";
  const char* const home = std::getenv("HOME");
  if (home == nullptr || home[0] != '/') throw Error(ENOENT, "no HOME is set: say --store DIR");
  return std::filesystem::path(home) / ".local/share/imagefs";
}

}  // namespace imagefs::fs::commands
