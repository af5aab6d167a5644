#include "blobstore/error.h"

#include <cerrno>
#include <string_view>
#include <utility>

namespace imagefs {

Error::Error(int errno_value, std::string sentence)
    : std::system_error(errno_value, std::generic_category()),
      sentence_(shortened(std::move(sentence))) {}

std::string shortened(std::string text) {
  constexpr std::size_t kMost = 2'000;
  constexpr std::string_view kGap = " [...] ";
  constexpr std::size_t kEnd = (kMost - kGap.size()) / 2;
  if (text.size() <= kMost) return text;
  text.replace(kEnd, text.size() - 2 * kEnd, kGap);
  text.shrink_to_fit();
  return text;
}

void throw_errno(const std::string& what) {
  const int value = errno;
  throw Error(value, what + ": " + std::generic_category().message(value));
}

}  // namespace imagefs
