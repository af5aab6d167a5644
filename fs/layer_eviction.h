// Which decoded layers of cache/layers/ go when there are too many.
#pragma once

#include <cstdint>

namespace imagefs::fs {

// Removes files, those that were used longest ago first (by their modification time), until the
// rest has at most `limit` bytes. What is open elsewhere stays readable there.
void evict_layers(int directory_fd, std::uint64_t limit);
// Notes that a file was used just now.
void mark_used(int fd);

}  // namespace imagefs::fs
