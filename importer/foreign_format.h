// What is no image archive by its first bytes, in words.
#pragma once

#include <cstddef>
#include <span>

namespace imagefs::importer {

// Whether what starts so is no image archive, and what it is can be told.
[[nodiscard]] bool is_foreign(std::span<const std::byte> start);
// `start`: the first 512 bytes, fewer when there are no more. Throws Error, saying what it looks
// like, when no tar starts so: EINVAL when it is_foreign(), ENODATA for too few bytes, else EINVAL.
void refuse_foreign(std::span<const std::byte> start);

}  // namespace imagefs::importer
