#include "fs/image_tar_layout.h"

#include <boost/json.hpp>
#include <cerrno>
#include <limits>
#include <set>
#include <utility>

#include "blobstore/descriptor_json.h"
#include "blobstore/documents.h"
#include "blobstore/error.h"
#include "blobstore/index.h"
#include "importer/tar_header.h"

namespace imagefs::fs {
namespace {

using blobstore::Descriptor;
using blobstore::Digest;

using importer::tar_header;
using importer::TarType;

constexpr std::uint64_t kMaxSize = std::numeric_limits<off_t>::max();

std::string blob_path(const Digest& digest) { return "blobs/sha256/" + digest.hex(); }

std::string index_json(const ImageContext& image) {
  boost::json::object descriptor{{"mediaType", image.descriptor.media_type},
                                 {"digest", image.descriptor.digest.str()},
                                 {"size", image.descriptor.size}};
  if (image.name) {
    descriptor["annotations"] = {{blobstore::kNameAnnotation, *image.name},
                                 {blobstore::kRefNameAnnotation, *image.name}};
  }
  if (image.descriptor.platform)
    descriptor["platform"] = blobstore::to_json(*image.descriptor.platform);
  return boost::json::serialize(
      boost::json::object{{"schemaVersion", 2},
                          {"mediaType", blobstore::media_type::kOciIndex},
                          {"manifests", boost::json::array{std::move(descriptor)}}});
}

// What docker load reads. A digest is no tag: an image that has only that is loaded without a name.
std::string manifest_json(const ImageContext& image) {
  boost::json::value tags = nullptr;
  if (image.name && image.name->find('@') == std::string::npos)
    tags = boost::json::array{boost::json::value(*image.name)};
  boost::json::array layers;
  for (const Descriptor& layer : image.manifest->layers)
    layers.emplace_back(blob_path(layer.digest));
  boost::json::object entry{{"Config", blob_path(image.manifest->config.digest)},
                            {"RepoTags", std::move(tags)},
                            {"Layers", std::move(layers)}};
  return boost::json::serialize(boost::json::array{boost::json::value(std::move(entry))});
}

}  // namespace

ImageTarLayout::ImageTarLayout(const ImageContext& image) {
  add_file("oci-layout", R"({"imageLayoutVersion":"1.0.0"})");
  add_file("index.json", index_json(image));
  if (image.manifest->is_image()) add_file("manifest.json", manifest_json(image));
  add_bytes(tar_header("blobs/", TarType::directory, 0) +
            tar_header("blobs/sha256/", TarType::directory, 0));
  std::set<Digest> added;
  for (const Descriptor& blob : image.store->needed(image.descriptor)) {
    if (added.insert(blob.digest).second) add_blob(blob);
  }
  add_bytes(importer::tar_end());
}

void ImageTarLayout::add_bytes(std::string bytes) {
  size_ += bytes.size();
  segments_.push_back({size_, std::move(bytes)});
}

void ImageTarLayout::add_file(std::string_view name, const std::string& bytes) {
  add_bytes(tar_header(name, TarType::file, bytes.size()) + bytes +
            importer::tar_padding(bytes.size()));
}

void ImageTarLayout::add_blob(const Descriptor& blob) {
  if (blob.size > kMaxSize / 2 || size_ > kMaxSize / 2) {
    throw Error(EIO, "no archive can hold blob " + blob.digest.str() + " of " +
                         std::to_string(blob.size) + " bytes");
  }
  add_bytes(tar_header(blob_path(blob.digest), TarType::file, blob.size));
  size_ += blob.size;
  segments_.push_back({size_, blobs_.size()});
  blobs_.push_back(blob);
  add_bytes(importer::tar_padding(blob.size));
}

}  // namespace imagefs::fs
