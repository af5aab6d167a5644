// An image config's diff IDs against the layers that the archive holds.
#pragma once

#include <string>
#include <vector>

#include "blobstore/digest.h"
#include "importer/content.h"

namespace imagefs::importer {

// `names`: of the layers, for the sentence. A layer that is not there (nullptr) is not checked.
// Throws Error{EBADMSG} for another number of diff IDs than of layers, or a diff ID that is not
// the layer's; Error{EINVAL} for a layer that is none.
void check_diff_ids(const std::vector<blobstore::Digest>& diff_ids,
                    const std::vector<Content*>& layers, const std::vector<std::string>& names,
                    const Limits& limits, const std::string& config);

}  // namespace imagefs::importer
