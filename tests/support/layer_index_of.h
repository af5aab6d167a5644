// The index of a tar stream, as an import makes it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "importer/layer_index.h"

namespace imagefs::tests {

struct BuiltIndex {
  std::shared_ptr<const importer::LayerIndex> index;
  std::vector<std::string> notes;
};
[[nodiscard]] BuiltIndex build_index(const std::string& stream);
[[nodiscard]] std::shared_ptr<const importer::LayerIndex> index_of(const std::string& stream);

}  // namespace imagefs::tests
