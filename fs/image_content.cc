#include "fs/image_content.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "blobstore/error.h"
#include "fs/blob_node.h"
#include "importer/limits.h"

namespace imagefs::fs {
namespace {

using blobstore::Descriptor;
using blobstore::Digest;
using blobstore::Document;
using blobstore::ImageIndex;
using blobstore::Manifest;
using blobstore::Platform;

constexpr std::string_view kUnknown = "unknown";  // what attestations have for a platform

// "linux-arm64-v8"; nothing when that is no name for a file.
std::optional<std::string> directory_name(const Platform& platform) {
  if (platform.architecture.empty() || platform.architecture == kUnknown) return std::nullopt;
  std::string name = platform.os + "-" + platform.architecture;
  if (!platform.variant.empty()) name += "-" + platform.variant;
  const bool has_bad_byte = name.find('/') != name.npos || name.find('\0') != name.npos;
  return has_bad_byte || name.size() > 255 ? std::nullopt : std::optional(std::move(name));
}

DocumentPtr read_document(const TreeContext& context, const Descriptor& descriptor) {
  if (DocumentPtr document = context.documents.get(descriptor)) return document;
  const bool is_listed = context.view.load()->lists(descriptor.digest);
  throw Error(is_listed ? EIO : ESTALE,
              "the document " + descriptor.digest.str() + " is not in the store");
}

// The manifests that an index leads to and that are present, through nested indexes, each once.
class PresentManifests {
 public:
  explicit PresentManifests(const TreeContext& context) : context_(context) {}

  std::vector<Descriptor> find(const Descriptor& index) {
    visit(index, 0);
    return std::move(found_);
  }

 private:
  void visit(const Descriptor& descriptor, std::size_t depth) {
    const importer::Limits limits;
    if (depth > limits.max_depth || seen_.size() > limits.max_manifests) return;
    if (!seen_.insert(descriptor.digest).second) return;
    if (depth > 0 && !stat_blob(*context_.store, descriptor.digest)) return;
    if (!blobstore::is_index(descriptor.media_type)) {
      if (blobstore::is_document(descriptor.media_type)) found_.push_back(descriptor);
      return;
    }
    const DocumentPtr document = read_document(context_, descriptor);
    const auto* index = std::get_if<ImageIndex>(document.get());
    if (index == nullptr) throw Error(EIO, descriptor.digest.str() + " is no index");
    for (const Descriptor& child : index->manifests) visit(child, depth + 1);
  }

  const TreeContext& context_;
  std::set<Digest> seen_;
  std::vector<Descriptor> found_;
};

Platform configured_platform(const TreeContext& context, const Descriptor& descriptor) {
  const auto manifest = read_manifest(context, descriptor);
  if (!manifest->is_image()) return {};
  const Digest& config = manifest->config.digest;
  const auto bytes = context.store->read_blob(config, importer::Limits{}.max_config);
  return bytes ? blobstore::parse_config(*bytes, config.str()).platform.normalised() : Platform{};
}

// What the config says where the index is silent; an empty one when that cannot be read.
Platform platform_of(const TreeContext& context, const Descriptor& descriptor) {
  if (descriptor.platform) return descriptor.platform->normalised();
  try {
    return configured_platform(context, descriptor);
  } catch (const Error&) {
    return {};
  }
}

std::vector<PresentPlatform> present_platforms(const TreeContext& context,
                                               const Descriptor& index) {
  std::vector<PresentPlatform> platforms;
  for (const Descriptor& descriptor : PresentManifests(context).find(index)) {
    Platform platform = platform_of(context, descriptor);
    auto name = directory_name(platform);
    if (!name || std::ranges::find(platforms, *name, &PresentPlatform::name) != platforms.end()) {
      continue;
    }
    platforms.push_back({std::move(*name), std::move(platform), descriptor});
  }
  return platforms;
}

const PresentPlatform* best_fit(const Platform& wanted,
                                const std::vector<PresentPlatform>& platforms) {
  const auto best = std::ranges::max_element(
      platforms, {}, [&](const PresentPlatform& present) { return wanted.fit(present.platform); });
  return best == platforms.end() ? nullptr : &*best;
}

std::optional<Descriptor> find_in_manifest(const Manifest& manifest, const Digest& digest) {
  if (manifest.config.digest == digest) return manifest.config;
  const auto layer = std::ranges::find(manifest.layers, digest, &Descriptor::digest);
  return layer == manifest.layers.end() ? std::nullopt : std::optional(*layer);
}

}  // namespace

std::shared_ptr<const Manifest> read_manifest(const TreeContext& context,
                                              const Descriptor& descriptor) {
  const DocumentPtr document = read_document(context, descriptor);
  const auto* manifest = std::get_if<Manifest>(document.get());
  if (manifest == nullptr) throw Error(EIO, descriptor.digest.str() + " is no manifest");
  return {document, manifest};
}

ImageContent read_image(const TreeContext& context, const Descriptor& descriptor) {
  if (!blobstore::is_index(descriptor.media_type)) {
    return {.platforms = {},
            .manifest_descriptor = descriptor,
            .manifest = read_manifest(context, descriptor)};
  }
  ImageContent content{.platforms = present_platforms(context, descriptor),
                       .manifest_descriptor = {},
                       .manifest = {}};
  if (const PresentPlatform* best = best_fit(context.platform, content.platforms)) {
    content.manifest_descriptor = best->descriptor;
    content.manifest = read_manifest(context, best->descriptor);
  }
  return content;
}

std::optional<Descriptor> find_descriptor(const TreeContext& context, const Descriptor& image,
                                          const Digest& digest) {
  if (image.digest == digest) return image;
  if (!blobstore::is_index(image.media_type)) {
    return find_in_manifest(*read_manifest(context, image), digest);
  }
  for (const Descriptor& manifest : PresentManifests(context).find(image)) {
    if (manifest.digest == digest) return manifest;
    const auto found = find_in_manifest(*read_manifest(context, manifest), digest);
    if (found) return found;
  }
  return std::nullopt;
}

std::optional<Descriptor> find_document(const blobstore::Store& store, const Digest& digest) {
  const auto st = stat_blob(store, digest);
  const std::uint64_t size = st ? static_cast<std::uint64_t>(st->st_size) : 0;
  if (size == 0 || size > importer::Limits{}.max_json) return std::nullopt;
  char first = 0;
  const auto fd = store.open_blob(digest);
  if (!fd || ::pread(fd->get(), &first, 1, 0) != 1 || first != '{') return std::nullopt;
  const auto bytes = store.read_blob(digest, size);
  if (!bytes) return std::nullopt;
  try {
    const Document document = blobstore::parse_document(*bytes, "", digest.str());
    const auto type = [](const auto& read) { return read.media_type; };
    return Descriptor{.media_type = std::visit(type, document), .digest = digest, .size = size};
  } catch (const Error&) {
    return std::nullopt;  // a config, or some other blob
  }
}

}  // namespace imagefs::fs
