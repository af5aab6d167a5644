#include "tests/support/layer_index_of.h"

#include "importer/layer_index_builder.h"
#include "importer/layer_tar.h"

namespace imagefs::tests {

BuiltIndex build_index(const std::string& stream) {
  importer::LayerIndexBuilder builder(-1);
  importer::LayerTar tar([&](const importer::LayerEntry& entry) { builder.add(entry); });
  tar.append(std::as_bytes(std::span(stream)));
  tar.finish();
  const importer::CacheFile file = builder.finish(stream.size());
  return {importer::LayerIndex::open(file.fd()), builder.notes()};
}

std::shared_ptr<const importer::LayerIndex> index_of(const std::string& stream) {
  return build_index(stream).index;
}

}  // namespace imagefs::tests
