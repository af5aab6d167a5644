// rootfs/ of an image directory: the image's merged filesystem, read straight from its layers.
//
//   options.image_children.push_back(rootfs_child(layers));
//
// The node of rootfs/ itself is cheap; the layers' indexes are opened when somebody looks into it,
// or asks for its attributes. Ids come from the directory's path, the manifest's digest, and what
// names the inode in its layers, so hard links share one.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "fs/image_child.h"
#include "fs/layer_cache.h"
#include "fs/node.h"
#include "fs/overlay.h"

namespace imagefs::fs {

// The filesystem of one image at one path. Thread safety: every member from any thread.
class Rootfs final : public NodeMaker, public std::enable_shared_from_this<Rootfs> {
 public:
  Rootfs(std::shared_ptr<LayerCache> layers, NodeId id, std::vector<blobstore::Digest> digests)
      : cache_(std::move(layers)), salt_(id), digests_(std::move(digests)) {}

  // Opens the layers' indexes, and waits for those that have to be made. Throws what
  // LayerCache::index() does.
  void await(const Patience& patience) const;
  // The same without waiting: null when an index would have to be made, or so much read that
  // nobody else should wait for it.
  [[nodiscard]] const Overlay* overlay_if_at_hand() const;
  // Throws Error{EAGAIN} when neither has come first.
  [[nodiscard]] const Overlay& overlay() const;
  // Whether every layer has an index, perhaps a damaged one.
  [[nodiscard]] bool is_indexed() const;
  [[nodiscard]] NodePtr node(const Overlay::Found& found) const;
  [[nodiscard]] NodePtr make(std::uint64_t key) const override;
  // `entry`: an inode, or the sole entry of a directory.
  [[nodiscard]] NodeRecipe recipe(Overlay::Entry entry) const;
  [[nodiscard]] NodeId root_id() const { return directory_id(importer::root_key()); }
  [[nodiscard]] NodeId directory_id(const importer::DirectoryKey& key) const;
  [[nodiscard]] NodeId inode_id(Overlay::Entry inode) const;
  [[nodiscard]] std::uint32_t link_count(Overlay::Entry inode) const;
  [[nodiscard]] LayerBytesPtr bytes(std::uint32_t layer) const;

 private:
  const Overlay* keep(Overlay::Layers indexes) const;

  const std::shared_ptr<LayerCache> cache_;
  const NodeId salt_;
  const std::vector<blobstore::Digest> digests_;         // the lowest layer first
  mutable std::atomic<const Overlay*> ready_ = nullptr;  // overlay_, once it is there
  mutable std::mutex mutex_;  // of what follows; nothing slow happens under it
  mutable std::unique_ptr<const Overlay> overlay_;
  mutable std::map<Overlay::Entry, std::uint32_t> link_counts_;
};

[[nodiscard]] ImageChild rootfs_child(std::shared_ptr<LayerCache> layers);

}  // namespace imagefs::fs
