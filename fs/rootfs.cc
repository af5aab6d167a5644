#include "fs/rootfs.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "blobstore/error.h"
#include "fs/recent.h"
#include "fs/rootfs_nodes.h"

namespace imagefs::fs {
namespace {

constexpr std::size_t kOpenRootfs = 64;
// Bytes of indexes that a thread reads which serves everybody: 15,000 entries; a few ms, if a disk
// has to be asked.
constexpr std::uint64_t kAtHand = 1 << 20;
constexpr unsigned kLayerShift = 32;  // of a recipe's key: the layer, then the record
constexpr std::size_t kMaxLinkCounts = 1U << 16;

template <typename T>
std::string_view bytes_of(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

// Makes the nodes of rootfs/; the same image at the same path shares its open layers.
class RootfsMaker {
 public:
  explicit RootfsMaker(std::shared_ptr<LayerCache> layers) : layers_(std::move(layers)) {}

  NodePtr make(const ImageContext& context) {
    if (!context.manifest->is_image()) return nullptr;
    return std::make_shared<const RootfsRoot>(open(context));
  }

 private:
  RootfsPtr open(const ImageContext& context) {
    const NodeId id =
        make_node_id({context.path, context.manifest_descriptor.digest.str(), "rootfs"});
    RootfsPtr dropped;
    const std::lock_guard lock(mutex_);
    if (RootfsPtr known = open_.find(id)) return known;
    std::vector<blobstore::Digest> digests;
    for (const auto& layer : context.manifest->layers) digests.push_back(layer.digest);
    auto opened = std::make_shared<const Rootfs>(layers_, id, std::move(digests));
    dropped = open_.insert(id, opened);
    return opened;
  }

  const std::shared_ptr<LayerCache> layers_;
  std::mutex mutex_;
  Recent<NodeId, const Rootfs> open_{kOpenRootfs};
};

}  // namespace

const Overlay& Rootfs::overlay() const {
  const Overlay* const ready = ready_.load();
  if (ready == nullptr) throw Error(EAGAIN, "the layers are not indexed yet");
  return *ready;
}

void Rootfs::await(const Patience& patience) const {
  if (ready_.load() != nullptr) return;
  Overlay::Layers indexes;
  for (const blobstore::Digest& digest : digests_) {
    indexes.push_back(cache_->index(digest, patience));
  }
  static_cast<void>(keep(std::move(indexes)));
}

const Overlay* Rootfs::overlay_if_at_hand() const {
  if (const Overlay* const ready = ready_.load()) return ready;
  std::uint64_t most = kAtHand;
  Overlay::Layers indexes;
  for (const blobstore::Digest& digest : digests_) {
    indexes.push_back(cache_->find_index(digest, most));
    if (!indexes.back()) return nullptr;
  }
  return keep(std::move(indexes));
}

bool Rootfs::is_indexed() const {
  return std::ranges::all_of(
      digests_, [this](const blobstore::Digest& digest) { return cache_->has_index(digest); });
}

const Overlay* Rootfs::keep(Overlay::Layers indexes) const {
  auto opened = std::make_unique<const Overlay>(std::move(indexes));
  const std::lock_guard lock(mutex_);
  if (!overlay_) overlay_ = std::move(opened);
  ready_.store(overlay_.get());
  return overlay_.get();
}

NodePtr Rootfs::node(const Overlay::Found& found) const {
  if (const auto* directory = std::get_if<Overlay::Directory>(&found)) {
    return std::make_shared<const RootfsDirectory>(shared_from_this(), *directory);
  }
  return std::make_shared<const RootfsInode>(shared_from_this(), std::get<Overlay::Entry>(found));
}

NodePtr Rootfs::make(std::uint64_t key) const {
  const Overlay::Entry entry{.layer = static_cast<std::uint32_t>(key >> kLayerShift),
                             .record = static_cast<std::uint32_t>(key)};
  if (is_directory(overlay().record(entry).kind)) return node(overlay().directory(entry));
  return node(entry);
}

NodeRecipe Rootfs::recipe(Overlay::Entry entry) const {
  return {shared_from_this(), std::uint64_t{entry.layer} << kLayerShift | entry.record};
}

NodeId Rootfs::directory_id(const importer::DirectoryKey& key) const {
  return make_node_id({bytes_of(salt_), bytes_of(key)});
}

NodeId Rootfs::inode_id(Overlay::Entry inode) const {
  const std::uint32_t entry = overlay().record(inode).entry;
  return make_node_id({bytes_of(salt_), bytes_of(inode.layer), bytes_of(entry)});
}

std::uint32_t Rootfs::link_count(Overlay::Entry inode) const {
  {
    const std::lock_guard lock(mutex_);
    const auto known = link_counts_.find(inode);
    if (known != link_counts_.end()) return known->second;
  }
  const std::uint32_t count = overlay().count_names(inode);
  if (count == 1) return count;
  const std::lock_guard lock(mutex_);
  if (link_counts_.size() >= kMaxLinkCounts) link_counts_.clear();
  link_counts_.emplace(inode, count);
  return count;
}

LayerBytesPtr Rootfs::bytes(std::uint32_t layer) const {
  return cache_->bytes(digests_[layer], overlay().layers()[layer]->layer_size());
}

ImageChild rootfs_child(std::shared_ptr<LayerCache> layers) {
  const auto maker = std::make_shared<RootfsMaker>(std::move(layers));
  return {.name = "rootfs", .type = S_IFDIR, .make = [maker](const ImageContext& context) {
            return maker->make(context);
          }};
}

}  // namespace imagefs::fs
