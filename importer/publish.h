// The last step of an import: what was read becomes part of the store.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "blobstore/store.h"
#include "importer/reading.h"

namespace imagefs::importer {

// Images of one descriptor become one, with all its names. `name`: replaces the names of the only
// image. Throws Error{EINVAL}: two images claim one name, `name` is none, or there are more images.
// Error{EFBIG}: there are more than `max_names` names.
[[nodiscard]] std::vector<FoundImage> settle_names(std::vector<FoundImage> images,
                                                   const std::optional<std::string>& name,
                                                   std::size_t max_names);

// Commits the reading's blobs and `images` in one step, and then their layers' indexes, which
// cannot fail an import. Throws Error; then nothing changed.
void publish(blobstore::Store& store, Reading& reading, const std::vector<FoundImage>& images);

}  // namespace imagefs::importer
