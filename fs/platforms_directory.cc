#include "fs/platforms_directory.h"

#include <algorithm>

#include "fs/attributes.h"
#include "fs/image_content.h"
#include "fs/image_directory.h"

namespace imagefs::fs {

NodeId PlatformsDirectory::id_of(std::string_view image_path, const blobstore::Digest& index) {
  return make_node_id({image_path, index.str(), "platforms"});
}

PlatformsDirectory::PlatformsDirectory(TreeContextPtr context,
                                       std::shared_ptr<const ImagePlace> place)
    : context_(std::move(context)),
      place_(std::move(place)),
      id_(id_of(place_->path, place_->descriptor.digest)) {}

struct stat PlatformsDirectory::attributes() const {
  const std::size_t count = read_image(*context_, place_->descriptor).platforms.size();
  return directory_attributes(id_, context_->owner, count, place_->imported);
}

NodePtr PlatformsDirectory::lookup(std::string_view name) const {
  const auto platforms = read_image(*context_, place_->descriptor).platforms;
  const auto found = std::ranges::find(platforms, name, &PresentPlatform::name);
  return found == platforms.end() ? nullptr : platform(found->name, found->descriptor);
}

void PlatformsDirectory::list(std::uint64_t offset,
                              const std::function<bool(const ListedName&)>& visit) const {
  const auto platforms = read_image(*context_, place_->descriptor).platforms;
  for (std::size_t i = offset; i < platforms.size(); ++i) {
    const auto& [name, unused, descriptor] = platforms[i];
    if (!visit({name, platform(name, descriptor)->id(), S_IFDIR, i + 1})) return;
  }
}

NodePtr PlatformsDirectory::platform(const std::string& name,
                                     const blobstore::Descriptor& descriptor) const {
  return std::make_shared<ImageDirectory>(context_,
                                          ImagePlace{.path = place_->path + "/platforms/" + name,
                                                     .name = place_->name,
                                                     .descriptor = descriptor,
                                                     .imported = place_->imported});
}

}  // namespace imagefs::fs
