#include "blobstore/marking.h"

#include <cerrno>

#include "blobstore/blob_files.h"
#include "blobstore/documents.h"
#include "blobstore/error.h"

namespace imagefs::blobstore {
namespace {

constexpr std::size_t kMaxDescriptors = 1'000'000;

}  // namespace

void Marker::visit(const Descriptor& descriptor, int depth, bool may_be_absent) {
  const bool document = is_document(descriptor.media_type);
  if (!seen_.emplace(descriptor.digest, document, may_be_absent).second) return;
  if (seen_.size() > kMaxDescriptors) throw Error(EFBIG, "an image refers to a million blobs");
  found_.push_back({descriptor, may_be_absent});
  if (document) visit_document(descriptor, depth);
}

void Marker::visit_manifest(const Descriptor& descriptor, int depth) {
  if (!is_document(descriptor.media_type)) foreign_.push_back(descriptor.digest);
  visit(descriptor, depth, depth > 0);
}

void Marker::visit_document(const Descriptor& descriptor, int depth) {
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

std::vector<Descriptor> referenced(const Directory& directory, const Descriptor& image) {
  Marker marker(directory);
  marker.visit(image);
  std::vector<Descriptor> descriptors;
  for (const Referenced& blob : marker.found()) descriptors.push_back(blob.descriptor);
  return descriptors;
}

std::vector<Descriptor> needed(const Directory& directory, const Descriptor& image) {
  Marker marker(directory);
  marker.visit(image);
  std::vector<Descriptor> descriptors;
  for (const Referenced& blob : marker.found()) {
    if (blob.may_be_absent && !blob_size(directory, blob.descriptor.digest)) continue;
    descriptors.push_back(blob.descriptor);
  }
  return descriptors;
}

}  // namespace imagefs::blobstore
