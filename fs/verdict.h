// How an import ended.
#pragma once

#include <string>

namespace imagefs::fs {

struct Verdict {
  int errno_value = 0;        // 0: imported
  std::string sentence = {};  // why not
};

}  // namespace imagefs::fs
