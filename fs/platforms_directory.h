// platforms/ of a multi-platform image: an image directory for each platform that is present.
#pragma once

#include <memory>

#include "fs/node.h"
#include "fs/tree_context.h"

namespace imagefs::fs {

class PlatformsDirectory final : public Node {
 public:
  PlatformsDirectory(TreeContextPtr context, std::shared_ptr<const ImagePlace> place);

  // Of an image's platforms/.
  [[nodiscard]] static NodeId id_of(std::string_view image_path, const blobstore::Digest& index);

  [[nodiscard]] NodeId id() const override { return id_; }
  [[nodiscard]] struct stat attributes() const override;
  [[nodiscard]] Lifetime lifetime() const override { return Lifetime::snapshot; }
  [[nodiscard]] NodePtr lookup(std::string_view name) const override;
  void list(std::uint64_t offset,
            const std::function<bool(const ListedName&)>& visit) const override;

 private:
  [[nodiscard]] NodePtr platform(const std::string& name,
                                 const blobstore::Descriptor& descriptor) const;

  const TreeContextPtr context_;
  const std::shared_ptr<const ImagePlace> place_;
  const NodeId id_;
};

}  // namespace imagefs::fs
