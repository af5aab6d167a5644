#include "fs/commands/image_summary.h"

#include <algorithm>
#include <cerrno>
#include <set>
#include <tuple>
#include <utility>

#include "blobstore/documents.h"
#include "blobstore/error.h"
#include "importer/limits.h"

namespace imagefs::fs::commands {
namespace {

using blobstore::Descriptor;
using blobstore::Digest;
using blobstore::Store;

constexpr importer::Limits kLimits;

std::string read(const Store& store, const Descriptor& descriptor, std::uint64_t limit) {
  auto bytes = store.read_blob(descriptor.digest, limit);
  if (!bytes) throw Error(ENOENT, "blob " + descriptor.digest.str() + " is missing");
  return std::move(*bytes);
}

std::vector<std::string> platforms_of(const blobstore::ImageIndex& index,
                                      const std::set<Digest>& present) {
  std::vector<std::string> platforms;
  for (const Descriptor& child : index.manifests) {
    // Attestations are for the platform unknown/unknown.
    if (!child.platform || child.platform->os == "unknown" || !present.contains(child.digest))
      continue;
    platforms.push_back(child.platform->str());
  }
  return platforms;
}

std::vector<std::string> platforms(const Store& store, const Descriptor& image,
                                   const std::set<Digest>& present) {
  if (image.platform) return {image.platform->str()};
  const std::string what = "manifest " + image.digest.str();
  const auto document =
      blobstore::parse_document(read(store, image, kLimits.max_json), image.media_type, what);
  if (const auto* index = std::get_if<blobstore::ImageIndex>(&document)) {
    return platforms_of(*index, present);
  }
  const auto& manifest = std::get<blobstore::Manifest>(document);
  if (!manifest.is_image()) return {};
  const auto config =
      blobstore::parse_config(read(store, manifest.config, kLimits.max_config), "its config");
  return {config.platform.normalised().str()};
}

std::uint64_t size(const Store& store, const Descriptor& image, const std::set<Digest>& present) {
  std::set<Digest> counted;
  std::uint64_t bytes = 0;
  for (const Descriptor& blob : store.referenced(image)) {
    if (present.contains(blob.digest) && counted.insert(blob.digest).second) bytes += blob.size;
  }
  return bytes;
}

ImageSummary summary(const Store& store, blobstore::Image image, const std::set<Digest>& present) {
  ImageSummary summary{.image = std::move(image), .platforms = {}};
  try {
    summary.platforms = platforms(store, summary.image.descriptor, present);
    summary.size = size(store, summary.image.descriptor, present);
  } catch (const Error& error) {
    summary.problem = error.sentence();
  }
  return summary;
}

}  // namespace

std::vector<ImageSummary> summarise(const Store& store) {
  const auto blobs = store.blobs();
  const std::set<Digest> present(blobs.begin(), blobs.end());
  std::vector<ImageSummary> summaries;
  for (blobstore::Image& image : store.read_index().images()) {
    summaries.push_back(summary(store, std::move(image), present));
  }
  std::ranges::sort(summaries, {}, [](const ImageSummary& each) {
    return std::tuple(!each.image.name, each.image.name, each.image.descriptor.digest);
  });
  return summaries;
}

}  // namespace imagefs::fs::commands
