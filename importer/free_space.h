// What must stay free on a store's disk.
#pragma once

#include <cstdint>

namespace imagefs::importer {

// Whether the disk that `fd` lies on has `min_free` bytes left. 0: asks nothing.
[[nodiscard]] bool has_free(int fd, std::uint64_t min_free);
// Throws Error{ENOSPC} when the disk that `fd` lies on has less than `min_free` bytes left. 0: asks
// nothing.
void require_free(int fd, std::uint64_t min_free);

}  // namespace imagefs::importer
