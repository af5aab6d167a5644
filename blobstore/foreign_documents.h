// Documents of media types that we do not know: other tools' manifests, artifacts.
#pragma once

#include <unordered_set>
#include <vector>

#include "blobstore/digest.h"
#include "blobstore/directory.h"

namespace imagefs::blobstore {

// What documents refer to, as far as it can be known: every digest that the text of a JSON document
// holds, and in the same way what those blobs refer to. What is absent, no JSON or larger than any
// document refers to nothing.
class ForeignDocuments {
 public:
  // `kept`: the blobs that are known to stay. What it holds when a manifest is followed, whoever
  // put it there has judged, who knows the media types: sound documents, and configs and layers,
  // which refer to nothing. Damage to it does not matter here.
  ForeignDocuments(const Directory& directory, std::unordered_set<Digest>& kept)
      : directory_(directory), kept_(kept) {}

  // Adds to `kept` what this manifest refers to; the result: what was not there before.
  //
  // What a damaged document referred to is not known, and must not be lost: throws Error{EIO} then.
  // - The manifest is a document, whatever its bytes look like now.
  // - A damaged blob that is not judged is passed over (and kept) only when it is no document by
  //   all that is left of it: it has bytes other than zeros, does not begin as JSON does, and holds
  //   no digest. A document damaged both in its first byte and in each of its digests would pass
  //   for one.
  std::vector<Digest> keep_named_by(const Digest& manifest);

 private:
  const Directory& directory_;
  std::unordered_set<Digest>& kept_;
  std::unordered_set<Digest> followed_;
  std::unordered_set<Digest> seen_;  // named by those
};

}  // namespace imagefs::blobstore
