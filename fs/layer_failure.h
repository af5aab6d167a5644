// Why a layer cannot be read.
#pragma once

#include "blobstore/error.h"

namespace imagefs::fs {

// Whether it lies in the layer: nobody need try again. What was short (room, memory, descriptors)
// may be there the next time.
[[nodiscard]] bool is_of_the_layer(const Error& error);

}  // namespace imagefs::fs
