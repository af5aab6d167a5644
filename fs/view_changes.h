// What differs between two snapshots of the names, as far as a kernel may have cached it.
#pragma once

#include <string>
#include <vector>

#include "fs/tree.h"
#include "fs/view.h"

namespace imagefs::fs {

[[nodiscard]] Tree::Changes compare(const View& before, const View& after);

}  // namespace imagefs::fs
