// The inside of a Store.
#pragma once

#include "blobstore/directory.h"
#include "blobstore/store.h"

namespace imagefs::blobstore {

struct Store::State {
  State(const std::filesystem::path& path, bool read_only) : directory(path, read_only) {}

  Directory directory;
};

}  // namespace imagefs::blobstore
