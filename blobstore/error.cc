#include "blobstore/error.h"

#include <cerrno>
#include <utility>

namespace imagefs {

Error::Error(int errno_value, std::string sentence)
    : std::system_error(errno_value, std::generic_category()), sentence_(std::move(sentence)) {}

void throw_errno(const std::string& what) {
  const int value = errno;
  throw Error(value, what + ": " + std::generic_category().message(value));
}

}  // namespace imagefs
