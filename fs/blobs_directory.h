// blobs/sha256/ of the mount: the store's blobs, as they are now.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "fs/node.h"
#include "fs/tree_context.h"

namespace imagefs::fs {

class BlobsDirectory final : public Node {
 public:
  explicit BlobsDirectory(TreeContextPtr context);

  [[nodiscard]] NodeId id() const override { return id_; }
  [[nodiscard]] struct stat attributes() const override;
  [[nodiscard]] Lifetime lifetime() const override { return Lifetime::volatile_; }
  [[nodiscard]] NodePtr lookup(std::string_view name) const override;
  // In the order of the digests. The store's directory is read when a listing begins, and again
  // between its pages only when it has changed.
  void list(std::uint64_t offset,
            const std::function<bool(const ListedName&)>& visit) const override;

 private:
  using Digests = std::shared_ptr<const std::vector<blobstore::Digest>>;
  [[nodiscard]] Digests digests(bool fresh) const;

  const TreeContextPtr context_;
  const NodeId id_;
  mutable std::mutex mutex_;  // guards what follows, not the reading
  mutable Digests last_;
  mutable timespec last_mtime_ = {};
};

}  // namespace imagefs::fs
