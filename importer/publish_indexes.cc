#include "importer/publish_indexes.h"

#include <set>

#include "blobstore/error.h"
#include "importer/layer_index_file.h"

namespace imagefs::importer {
namespace {

void publish_index(int directory_fd, Content& layer, std::vector<std::string>& notes) {
  const LayerFacts* const facts = layer.facts();
  const std::string prefix = layer.digest().value().str() + ": ";
  for (const std::string& note : facts->notes) notes.push_back(prefix + note);
  if (!facts->index) return;
  try {
    facts->index->publish(directory_fd, layer.digest()->hex());
  } catch (const Error& error) {
    notes.push_back(prefix + "its index cannot be kept: " + error.sentence());
  }
}

}  // namespace

void publish_indexes(const blobstore::Store& store, Reading& reading) {
  UniqueFd directory;
  std::set<const Content*> seen;  // a layer may be listed more than once
  for (Content* const content : reading.blobs) {
    if (content->facts() == nullptr || !seen.insert(content).second) continue;
    if (!directory) directory = open_index_directory(store.directory_fd());
    if (directory) publish_index(directory.get(), *content, reading.notes);
  }
}

}  // namespace imagefs::importer
