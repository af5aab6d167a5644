// Whatever was thrown, as an Error.
#pragma once

#include <exception>

#include "blobstore/error.h"

namespace imagefs::fs {

// An Error stays what it is; of anything else the errno is what a caller can be given.
[[nodiscard]] Error as_error(const std::exception_ptr& thrown);

}  // namespace imagefs::fs
