#include "fs/commands/image_summary.h"

#include <algorithm>
#include <cerrno>
#include <set>
#include <tuple>
#include <utility>

#include "blobstore/documents.h"
#include "blobstore/error.h"
#include "fs/image_content.h"
#include "fs/tree_context.h"
#include "importer/limits.h"

namespace imagefs::fs::commands {
namespace {

using blobstore::Descriptor;
using blobstore::Digest;
using blobstore::Store;

constexpr std::uint64_t kDocumentCache = 4 << 20;

std::string read(const Store& store, const Descriptor& config) {
  auto bytes = store.read_blob(config.digest, importer::Limits{}.max_config);
  if (!bytes) throw Error(ENOENT, "the config " + config.digest.str() + " is missing");
  return std::move(*bytes);
}

std::vector<std::string> platforms_of_index(const TreeContext& context, const Descriptor& index) {
  std::vector<std::string> platforms;
  for (const PresentPlatform& present : read_image(context, index).platforms) {
    platforms.push_back(present.platform.str());
  }
  return platforms;
}

std::vector<std::string> platforms(const TreeContext& context, const Descriptor& image) {
  if (blobstore::is_index(image.media_type)) return platforms_of_index(context, image);
  if (image.platform) return {image.platform->str()};
  const auto manifest = read_manifest(context, image);
  if (!manifest->is_image()) return {};
  const auto config = blobstore::parse_config(read(*context.store, manifest->config), "its config");
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

ImageSummary summary(const TreeContext& context, blobstore::Image image,
                     const std::set<Digest>& present) {
  ImageSummary summary{.image = std::move(image), .platforms = {}};
  try {
    summary.platforms = platforms(context, summary.image.descriptor);
    summary.size = size(*context.store, summary.image.descriptor, present);
  } catch (const Error& error) {
    summary.problem = error.sentence();
  }
  return summary;
}

}  // namespace

std::vector<ImageSummary> summarise(const std::shared_ptr<const Store>& store) {
  std::vector<blobstore::Image> images = store->read_index().images();
  TreeContext context(store, {}, {}, {}, kDocumentCache);
  context.view.store(
      std::make_shared<const View>(images, [](const Digest&) { return timespec{}; }));
  const auto blobs = store->blobs();
  const std::set<Digest> present(blobs.begin(), blobs.end());
  std::vector<ImageSummary> summaries;
  for (blobstore::Image& image : images) {
    summaries.push_back(summary(context, std::move(image), present));
  }
  std::ranges::sort(summaries, {}, [](const ImageSummary& each) {
    return std::tuple(!each.image.name, each.image.name, each.image.descriptor.digest);
  });
  return summaries;
}

}  // namespace imagefs::fs::commands
