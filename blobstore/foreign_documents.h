// Documents of media types that we do not know: other tools' manifests, artifacts.
#pragma once

#include <unordered_set>
#include <vector>

#include "blobstore/digest.h"
#include "blobstore/directory.h"

namespace imagefs::blobstore {

// Adds to `kept` what `documents` refer to, as far as it can be known: every digest that the text
// of a JSON document holds, and in the same way what those blobs refer to. What is absent, no JSON
// or larger than any document refers to nothing. Throws Error when a document is damaged.
void keep_what_foreign_documents_name(const Directory& directory, std::vector<Digest> documents,
                                      std::unordered_set<Digest>& kept);

}  // namespace imagefs::blobstore
