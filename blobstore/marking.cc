#include "blobstore/marking.h"

#include <cerrno>
#include <set>
#include <tuple>
#include <utility>

#include "blobstore/blob_files.h"
#include "blobstore/documents.h"
#include "blobstore/error.h"
#include "blobstore/foreign_documents.h"

namespace imagefs::blobstore {
namespace {

constexpr std::size_t kMaxDescriptors = 1'000'000;

struct Reference {
  Descriptor descriptor;
  bool may_be_absent = false;  // a platform of an index, or a foreign layer
};

// Walks documents from the top down; each blob comes once, or once for each way to refer to it.
class Marker {
 public:
  explicit Marker(const Directory& directory) : directory_(directory) {}

  void visit(const Descriptor& descriptor, int depth = 0, bool may_be_absent = false) {
    const bool document = is_document(descriptor.media_type);
    if (!seen_.emplace(descriptor.digest, document, may_be_absent).second) return;
    if (seen_.size() > kMaxDescriptors) throw Error(EFBIG, "an image refers to a million blobs");
    found_.push_back({descriptor, may_be_absent});
    if (document) visit_document(descriptor, depth);
  }

  // What stands where a manifest should: in index.json, or in an index.
  void visit_manifest(const Descriptor& descriptor, int depth = 0) {
    if (!is_document(descriptor.media_type)) foreign_.push_back(descriptor.digest);
    visit(descriptor, depth, depth > 0);
  }

  [[nodiscard]] std::vector<Reference> take() { return std::move(found_); }
  // Manifests of media types that are not known.
  [[nodiscard]] const std::vector<Digest>& foreign() const { return foreign_; }

 private:
  void visit_document(const Descriptor& descriptor, int depth) {
    const std::string what = "the document " + descriptor.digest.str();
    if (depth > kMaxDocumentDepth) throw Error(EFBIG, what + " is nested too deep");
    const auto bytes = read_blob(directory_, descriptor.digest, kMaxDocument);
    if (!bytes) return;
    const Document document = parse_document(*bytes, descriptor.media_type, what);
    if (const auto* index = std::get_if<ImageIndex>(&document)) {
      for (const Descriptor& child : index->manifests) visit_manifest(child, depth + 1);
    } else {
      const auto& manifest = std::get<Manifest>(document);
      visit(manifest.config, depth + 1);
      for (const Descriptor& layer : manifest.layers) {
        visit(layer, depth + 1, is_foreign(layer));
      }
    }
  }

  const Directory& directory_;
  std::set<std::tuple<Digest, bool, bool>> seen_;
  std::vector<Reference> found_;
  std::vector<Digest> foreign_;
};

std::vector<Reference> references(const Directory& directory, const Descriptor& image) {
  Marker marker(directory);
  marker.visit(image);
  return marker.take();
}

}  // namespace

std::vector<Descriptor> referenced(const Directory& directory, const Descriptor& image) {
  std::vector<Descriptor> descriptors;
  for (Reference& reference : references(directory, image)) {
    descriptors.push_back(std::move(reference.descriptor));
  }
  return descriptors;
}

std::vector<Descriptor> needed(const Directory& directory, const Descriptor& image) {
  std::vector<Descriptor> descriptors;
  for (Reference& reference : references(directory, image)) {
    if (reference.may_be_absent && !blob_size(directory, reference.descriptor.digest)) continue;
    descriptors.push_back(std::move(reference.descriptor));
  }
  return descriptors;
}

std::unordered_set<Digest> all_referenced(const Directory& directory, const Index& index) {
  if (const std::size_t count = index.unlisted()) {
    throw Error(EBADMSG, "index.json: " + std::to_string(count) + " entries cannot be read");
  }
  Marker marker(directory);
  for (const Image& image : index.images()) marker.visit_manifest(image.descriptor);
  std::unordered_set<Digest> digests;
  for (const Reference& reference : marker.take()) digests.insert(reference.descriptor.digest);
  keep_what_foreign_documents_name(directory, marker.foreign(), digests);
  return digests;
}

}  // namespace imagefs::blobstore
