#include "fs/image_directory.h"

#include <algorithm>

#include "fs/attributes.h"
#include "fs/blob_node.h"
#include "fs/layers_directory.h"
#include "fs/platforms_directory.h"

namespace imagefs::fs {

using blobstore::Descriptor;

struct ImageDirectory::Builtin {
  std::string_view name;
  mode_t type;
  NodePtr (ImageDirectory::*make)(const ImageContent&) const;
};

const std::vector<ImageDirectory::Builtin>& ImageDirectory::builtins() {
  static const std::vector<Builtin> all = {
      {"index.json", S_IFREG, &ImageDirectory::index_json},
      {"platforms", S_IFDIR, &ImageDirectory::platforms},
      {"manifest.json", S_IFREG, &ImageDirectory::manifest_json},
      {"config.json", S_IFREG, &ImageDirectory::config_json},
      {"layers", S_IFDIR, &ImageDirectory::layers},
  };
  return all;
}

ImageDirectory::ImageDirectory(TreeContextPtr context, ImagePlace place)
    : context_(std::move(context)),
      place_(std::make_shared<const ImagePlace>(std::move(place))),
      id_(make_node_id({place_->path, place_->descriptor.digest.str()})) {}

bool ImageDirectory::is_index() const { return blobstore::is_index(place_->descriptor.media_type); }

Lifetime ImageDirectory::lifetime() const {
  // More platforms of an index may come with a later import.
  return is_index() ? Lifetime::snapshot : Lifetime::fixed;
}

struct stat ImageDirectory::attributes() const {
  const auto extra = std::ranges::count(context_->image_children, S_IFDIR, &ImageChild::type);
  const std::uint64_t builtin = is_index() ? 2 : 1;  // layers/, platforms/
  return directory_attributes(id_, context_->owner, builtin + static_cast<std::uint64_t>(extra),
                              place_->imported);
}

NodePtr ImageDirectory::lookup(std::string_view name) const {
  if (const auto builtin = std::ranges::find(builtins(), name, &Builtin::name);
      builtin != builtins().end()) {
    return (this->*builtin->make)(read_image(*context_, place_->descriptor));
  }
  if (const auto child = std::ranges::find(context_->image_children, name, &ImageChild::name);
      child != context_->image_children.end()) {
    return extra(read_image(*context_, place_->descriptor), *child);
  }
  return unlisted_blob(name);
}

void ImageDirectory::list(std::uint64_t offset,
                          const std::function<bool(const ListedName&)>& visit) const {
  const ImageContent content = read_image(*context_, place_->descriptor);
  std::uint64_t position = 0;
  const auto show = [&](std::string_view name, mode_t type, const auto& make) {
    if (++position <= offset) return true;
    const NodePtr node = make();
    return node == nullptr || visit({name, node->id(), type, position});
  };
  for (const Builtin& builtin : builtins()) {
    if (!show(builtin.name, builtin.type, [&] { return (this->*builtin.make)(content); })) return;
  }
  for (const ImageChild& child : context_->image_children) {
    if (!show(child.name, child.type, [&] { return extra(content, child); })) return;
  }
}

NodePtr ImageDirectory::index_json(const ImageContent& /*content*/) const {
  return is_index() ? blob("index.json", place_->descriptor, true) : nullptr;
}

NodePtr ImageDirectory::platforms(const ImageContent& /*content*/) const {
  return is_index() ? std::make_shared<PlatformsDirectory>(context_, place_) : nullptr;
}

NodePtr ImageDirectory::manifest_json(const ImageContent& content) const {
  if (!content.manifest) return nullptr;
  return blob("manifest.json", *content.manifest_descriptor, true);
}

NodePtr ImageDirectory::config_json(const ImageContent& content) const {
  return content.manifest ? blob("config.json", content.manifest->config, true) : nullptr;
}

NodePtr ImageDirectory::layers(const ImageContent& content) const {
  if (!content.manifest) return nullptr;
  return std::make_shared<LayersDirectory>(context_, place_, *content.manifest_descriptor);
}

NodePtr ImageDirectory::extra(const ImageContent& content, const ImageChild& child) const {
  if (!content.manifest) return nullptr;
  return child.make({.store = context_->store,
                     .owner = context_->owner,
                     .path = place_->path,
                     .name = place_->name,
                     .descriptor = place_->descriptor,
                     .manifest_descriptor = *content.manifest_descriptor,
                     .manifest = content.manifest,
                     .imported = place_->imported});
}

NodePtr ImageDirectory::blob(std::string_view name, const Descriptor& descriptor,
                             bool is_small) const {
  const NodeId id =
      make_node_id({place_->path, place_->descriptor.digest.str(), name, descriptor.digest.str()});
  return BlobNode::make(id, context_->store, context_->owner,
                        {.digest = descriptor.digest,
                         .size = descriptor.size,
                         .media_type = descriptor.media_type,
                         .is_small = is_small});
}

NodePtr ImageDirectory::unlisted_blob(std::string_view hex) const {
  const auto digest = blobstore::Digest::from_hex(hex);
  if (!digest) return nullptr;
  const auto descriptor = find_descriptor(*context_, place_->descriptor, *digest);
  return descriptor ? blob(hex, *descriptor, blobstore::is_document(descriptor->media_type))
                    : nullptr;
}

}  // namespace imagefs::fs
