// The inside of a Store.
#pragma once

#include "blobstore/directory.h"
#include "blobstore/store.h"

namespace imagefs::blobstore {

struct Store::State {
  State(const std::filesystem::path& path, Access access) : directory(path, access) {}

  Directory directory;
};

}  // namespace imagefs::blobstore
