// Documents of media types that we do not know: other tools' manifests, artifacts.
#pragma once

#include <unordered_set>
#include <vector>

#include "blobstore/digest.h"
#include "blobstore/directory.h"

namespace imagefs::blobstore {

// Adds to `kept` what `manifests` refer to, as far as it can be known: every digest that the text
// of a JSON document holds, and in the same way what those blobs refer to. What is absent, no JSON
// or larger than any document refers to nothing.
//
// What a damaged document referred to is not known, and must not be lost: throws Error{EIO} then.
// - `manifests` are documents, whatever their bytes look like now.
// - What `kept` holds before was judged by whoever put it there, who knows the media types: sound
//   documents, and configs and layers, which refer to nothing. Damage to it does not matter here.
// - Any other damaged blob is passed over (and kept) only when it is no document by all that is
//   left of it: it has bytes other than zeros, does not begin as JSON does, and holds no digest. A
//   document damaged both in its first byte and in each of its digests would pass for one.
void keep_what_foreign_documents_name(const Directory& directory,
                                      const std::vector<Digest>& manifests,
                                      std::unordered_set<Digest>& kept);

}  // namespace imagefs::blobstore
