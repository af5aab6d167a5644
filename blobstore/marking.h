// Which blobs an image refers to.
#pragma once

#include <cstdint>
#include <set>
#include <tuple>
#include <vector>

#include "blobstore/descriptor.h"
#include "blobstore/directory.h"

namespace imagefs::blobstore {

// Of a manifest or an index that is read, bytes, and of indexes within indexes.
inline constexpr std::uint64_t kMaxDocument = 20 << 20;
inline constexpr int kMaxDocumentDepth = 8;

struct Referenced {
  Descriptor descriptor;
  bool may_be_absent = false;  // a platform of an index, or a foreign layer
};

// Walks documents from the top down; each blob comes once, or once for each way to refer to it.
//
// Throws Error when a document is there and cannot be read: what it refers to is not known then.
class Marker {
 public:
  explicit Marker(const Directory& directory) : directory_(directory) {}

  void visit(const Descriptor& descriptor, int depth = 0, bool may_be_absent = false);
  // What stands where a manifest should: in index.json, or in an index.
  void visit_manifest(const Descriptor& descriptor, int depth = 0);

  // What the documents refer to, themselves included; those that are absent too.
  [[nodiscard]] const std::vector<Referenced>& found() const { return found_; }
  // Manifests of media types that are not known.
  [[nodiscard]] const std::vector<Digest>& foreign() const { return foreign_; }

 private:
  void visit_document(const Descriptor& descriptor, int depth);

  const Directory& directory_;
  std::set<std::tuple<Digest, bool, bool>> seen_;  // whether as a document, may be absent
  std::vector<Referenced> found_;
  std::vector<Digest> foreign_;
};

// As the members of Store of the same names.
[[nodiscard]] std::vector<Descriptor> referenced(const Directory& directory,
                                                 const Descriptor& image);
[[nodiscard]] std::vector<Descriptor> needed(const Directory& directory, const Descriptor& image);

}  // namespace imagefs::blobstore
