#include "importer/diff_ids.h"

#include <cerrno>

#include "blobstore/error.h"

namespace imagefs::importer {

void check_diff_ids(const std::vector<blobstore::Digest>& diff_ids,
                    const std::vector<Content*>& layers, const std::vector<std::string>& names,
                    const Limits& limits, const std::string& config) {
  if (diff_ids.size() != layers.size()) {
    throw Error(EBADMSG, config + " lists " + std::to_string(diff_ids.size()) +
                             " diff IDs, the image has " + std::to_string(layers.size()) +
                             " layers");
  }
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (!layers[i]) continue;
    const std::string what = "the layer \"" + names[i] + "\"";
    const blobstore::Digest& found = layers[i]->layer(limits, what).diff_id;
    if (found != diff_ids[i]) {
      throw Error(EBADMSG, what + " unpacks to " + found.str() + ", the diff ID in " + config +
                               " is " + diff_ids[i].str());
    }
  }
}

}  // namespace imagefs::importer
