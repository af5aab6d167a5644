// Files of a store that have no name yet, or one that only their maker knows.
//
// An unnamed file goes with its maker. A named one, which a crash leaves behind, is locked
// (flock(2)) as long as its descriptor is open: so whoever sweeps knows that nobody holds it any
// more.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "blobstore/directory.h"
#include "blobstore/unique_fd.h"

namespace imagefs::blobstore {

struct TemporaryFile {
  UniqueFd fd;       // read and write
  std::string name;  // empty for an unnamed file
};

inline constexpr mode_t kBlobInMaking = 0600;

// An unnamed file (O_TMPFILE) on the directory's filesystem. Nothing where that has none.
[[nodiscard]] std::optional<UniqueFd> make_unnamed_file(int directory, mode_t mode);
// A file for a blob, unnamed; where the filesystem has none, a named one in blobs/.
[[nodiscard]] TemporaryFile make_temporary_file(const Directory& directory);
// A file with a name that begins with ".tmp-", locked.
[[nodiscard]] TemporaryFile make_named_file(int directory, mode_t mode);
// Gives an unnamed file such a name for a while, and locks it. Throws Error.
[[nodiscard]] std::string name_file(const UniqueFd& fd, int directory);
// Removes named files that nobody holds any more.
void sweep_named_files(int directory);

}  // namespace imagefs::blobstore
