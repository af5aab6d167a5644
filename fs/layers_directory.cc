#include "fs/layers_directory.h"

#include <algorithm>
#include <charconv>

#include "fs/attributes.h"
#include "fs/image_content.h"
#include "fs/symlink_node.h"

namespace imagefs::fs {
namespace {

// Two digits, more where there are more than 100 layers: the names sort as the layers do.
std::string layer_name(std::size_t number, std::size_t count) {
  const std::size_t width = std::max<std::size_t>(2, std::to_string(count - 1).size());
  const std::string digits = std::to_string(number);
  return std::string(width - digits.size(), '0') + digits;
}

std::string blob_target(std::string_view directory_path, const blobstore::Digest& digest) {
  std::string target = "../";
  for (const char c : directory_path) {
    if (c == '/') target += "../";
  }
  return target + "blobs/sha256/" + digest.hex();
}

}  // namespace

LayersDirectory::LayersDirectory(TreeContextPtr context, std::shared_ptr<const ImagePlace> place,
                                 blobstore::Descriptor manifest)
    : context_(std::move(context)),
      place_(std::move(place)),
      manifest_(std::move(manifest)),
      id_(make_node_id(
          {place_->path, place_->descriptor.digest.str(), "layers", manifest_.digest.str()})) {}

struct stat LayersDirectory::attributes() const {
  return directory_attributes(id_, context_->owner, 0, place_->imported);
}

NodePtr LayersDirectory::lookup(std::string_view name) const {
  std::size_t number = 0;
  const auto end = std::from_chars(name.data(), name.data() + name.size(), number);
  const auto manifest = read_manifest(*context_, manifest_);
  const auto& layers = manifest->layers;
  if (end.ec != std::errc() || number >= layers.size()) return nullptr;
  const std::string exact = layer_name(number, layers.size());
  return name == exact ? layer(exact, layers[number].digest) : nullptr;
}

void LayersDirectory::list(std::uint64_t offset,
                           const std::function<bool(const ListedName&)>& visit) const {
  const auto manifest = read_manifest(*context_, manifest_);
  const auto& layers = manifest->layers;
  for (std::size_t i = offset; i < layers.size(); ++i) {
    const std::string name = layer_name(i, layers.size());
    if (!visit({name, layer(name, layers[i].digest)->id(), S_IFLNK, i + 1})) return;
  }
}

NodePtr LayersDirectory::layer(const std::string& name, const blobstore::Digest& digest) const {
  const NodeId id =
      make_node_id({place_->path, place_->descriptor.digest.str(), "layers", name, digest.str()});
  return std::make_shared<SymlinkNode>(id, context_->owner,
                                       blob_target(place_->path + "/layers", digest),
                                       place_->imported, Lifetime::fixed);
}

}  // namespace imagefs::fs
