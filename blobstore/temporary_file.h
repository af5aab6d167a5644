// Files that blobs are written to before they have a name in the store.
#pragma once

#include <string>

#include "blobstore/directory.h"
#include "blobstore/unique_fd.h"

namespace imagefs::blobstore {

struct TemporaryFile {
  UniqueFd fd;       // read and write, mode 0600
  std::string name;  // in blobs/; empty for an unnamed file
};

// An unnamed file (O_TMPFILE); where the filesystem has none, a named one as below.
[[nodiscard]] TemporaryFile make_temporary_file(const Directory& directory);
// A file named .import-… in blobs/, locked (flock(2)) as long as its descriptor is open.
[[nodiscard]] TemporaryFile make_named_file(const Directory& directory);
// Removes named files that nobody holds any more.
void sweep_named_files(const Directory& directory);

}  // namespace imagefs::blobstore
