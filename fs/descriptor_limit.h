// How many files this process may have open.
#pragma once

#include <cstddef>

namespace imagefs::fs {

// Raises the soft limit to the hard one: an import holds two descriptors for each layer.
void raise_descriptor_limit();
[[nodiscard]] std::size_t descriptor_limit();

}  // namespace imagefs::fs
