// What a store is opened for.
#pragma once

namespace imagefs::blobstore {

enum class Access {
  read_only,
  read_write,           // an empty or absent directory becomes a store
  read_write_existing,  // what is no store yet is left as it is
};

}  // namespace imagefs::blobstore
