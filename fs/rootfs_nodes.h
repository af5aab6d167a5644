// The nodes of a rootfs/: its directories, and all else.
#pragma once

#include <memory>

#include "fs/node.h"
#include "fs/overlay.h"
#include "fs/rootfs.h"

namespace imagefs::fs {

using RootfsPtr = std::shared_ptr<const Rootfs>;

class RootfsDirectory final : public Node {
 public:
  RootfsDirectory(RootfsPtr rootfs, Overlay::Directory directory);

  [[nodiscard]] NodeId id() const override { return id_; }
  [[nodiscard]] struct stat attributes() const override;
  [[nodiscard]] Lifetime lifetime() const override { return Lifetime::fixed; }
  [[nodiscard]] std::optional<NodeRecipe> recipe() const override;
  [[nodiscard]] NodePtr lookup(std::string_view name) const override;
  void list(std::uint64_t offset,
            const std::function<bool(const ListedName&)>& visit) const override;
  [[nodiscard]] std::vector<std::string> xattr_names() const override;
  [[nodiscard]] std::optional<std::string> xattr(std::string_view name) const override;

 private:
  [[nodiscard]] nlink_t count_links() const;

  const RootfsPtr rootfs_;
  const Overlay::Directory directory_;
  const NodeId id_;
};

// The directory rootfs/ itself. Who lists the image's directory does not wait for an index that has
// to be made. Who looks rootfs/ up does: whatever attributes the kernel is given with a name, a
// filesystem upon this one (overlayfs) goes by them for ever.
class RootfsRoot final : public Node {
 public:
  explicit RootfsRoot(RootfsPtr rootfs) : rootfs_(std::move(rootfs)) {}

  [[nodiscard]] NodeId id() const override { return rootfs_->root_id(); }
  [[nodiscard]] struct stat attributes() const override { return directory().attributes(); }
  [[nodiscard]] Lifetime lifetime() const override { return Lifetime::fixed; }
  [[nodiscard]] bool ready() const override { return rootfs_->overlay_if_at_hand() != nullptr; }
  void await(const Patience& patience) const override { rootfs_->await(patience); }
  [[nodiscard]] bool await_is_short() const override { return rootfs_->is_indexed(); }
  [[nodiscard]] NodePtr lookup(std::string_view name) const override {
    return directory().lookup(name);
  }
  void list(std::uint64_t offset,
            const std::function<bool(const ListedName&)>& visit) const override {
    directory().list(offset, visit);
  }
  [[nodiscard]] std::vector<std::string> xattr_names() const override {
    return directory().xattr_names();
  }
  [[nodiscard]] std::optional<std::string> xattr(std::string_view name) const override {
    return directory().xattr(name);
  }

 private:
  [[nodiscard]] RootfsDirectory directory() const { return {rootfs_, rootfs_->overlay().root()}; }

  const RootfsPtr rootfs_;
};

// A file, a symlink, a device or a fifo.
class RootfsInode final : public Node {
 public:
  RootfsInode(RootfsPtr rootfs, Overlay::Entry inode)
      : rootfs_(std::move(rootfs)), inode_(inode), id_(rootfs_->inode_id(inode)) {}

  [[nodiscard]] NodeId id() const override { return id_; }
  [[nodiscard]] struct stat attributes() const override;
  [[nodiscard]] Lifetime lifetime() const override { return Lifetime::fixed; }
  [[nodiscard]] std::optional<NodeRecipe> recipe() const override {
    return rootfs_->recipe(inode_);
  }
  [[nodiscard]] std::string target() const override;
  [[nodiscard]] ContentPtr open() const override;
  [[nodiscard]] std::vector<std::string> xattr_names() const override;
  [[nodiscard]] std::optional<std::string> xattr(std::string_view name) const override;

 private:
  [[nodiscard]] const importer::IndexRecord& record() const;
  [[nodiscard]] std::uint64_t blocks() const;

  const RootfsPtr rootfs_;
  const Overlay::Entry inode_;
  const NodeId id_;
};

}  // namespace imagefs::fs
