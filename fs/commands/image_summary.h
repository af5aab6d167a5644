// What a list of images says of each.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "blobstore/index.h"
#include "blobstore/store.h"

namespace imagefs::fs::commands {

struct ImageSummary {
  blobstore::Image image;
  std::vector<std::string> platforms;       // those that a mount shows; empty for an artifact
  std::uint64_t size = 0;                   // bytes of all blobs that are in the store
  std::optional<std::string> problem = {};  // why platforms or size are not known
};

// Sorted by name, images without one last. Throws Error when index.json cannot be read.
[[nodiscard]] std::vector<ImageSummary> summarise(
    const std::shared_ptr<const blobstore::Store>& store);

}  // namespace imagefs::fs::commands
