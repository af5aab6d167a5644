// What differs between two snapshots of the names, as far as a kernel may have cached it.
#pragma once

#include <string>
#include <vector>

#include "fs/tree.h"
#include "fs/view.h"

namespace imagefs::fs {

// `image_entries`: the entries of an image directory that a new import of the same image may
// change, because more of its platforms are present then.
[[nodiscard]] Tree::Changes compare(const View& before, const View& after,
                                    const std::vector<std::string>& image_entries);

}  // namespace imagefs::fs
