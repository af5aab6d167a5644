#include <iostream>

#include "blobstore/store.h"
#include "fs/commands/commands.h"
#include "fs/commands/text.h"
#include "fs/quantity.h"

namespace imagefs::fs::commands {

int gc(const Path& store, std::chrono::seconds older_than) {
  const auto collected =
      blobstore::Store::open(store, blobstore::Store::Access::read_write_existing)
          ->collect(older_than);
  std::cout << "removed " << counted(collected.images, "image") << ", "
            << counted(collected.blobs, "blob") << ", " << format_size(collected.bytes) << '\n';
  return 0;
}

}  // namespace imagefs::fs::commands
