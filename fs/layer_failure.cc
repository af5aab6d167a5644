#include "fs/layer_failure.h"

#include <cerrno>

namespace imagefs::fs {

bool is_of_the_layer(const Error& error) {
  const int found = error.errno_value();
  return found == EBADMSG || found == EFBIG || found == EOPNOTSUPP;
}

}  // namespace imagefs::fs
