// How an import ended.
#pragma once

#include <functional>
#include <string>

namespace imagefs::fs {

struct Verdict {
  int errno_value = 0;        // 0: imported, or good and not shown yet
  std::string sentence = {};  // why not
  // Of an archive that is good and waits for its name: shows it, under the name that it has now.
  // Must not throw. Whoever drops it drops the archive.
  std::function<Verdict(const std::string& name)> publish = {};
};

}  // namespace imagefs::fs
