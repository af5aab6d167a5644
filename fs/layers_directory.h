// layers/ of an image: a symlink for each layer, in order, 00 the lowest.
#pragma once

#include <memory>

#include "fs/node.h"
#include "fs/tree_context.h"

namespace imagefs::fs {

class LayersDirectory final : public Node {
 public:
  LayersDirectory(TreeContextPtr context, std::shared_ptr<const ImagePlace> place,
                  blobstore::Descriptor manifest);

  [[nodiscard]] NodeId id() const override { return id_; }
  [[nodiscard]] struct stat attributes() const override;
  [[nodiscard]] Lifetime lifetime() const override { return Lifetime::fixed; }
  [[nodiscard]] NodePtr lookup(std::string_view name) const override;
  void list(std::uint64_t offset,
            const std::function<bool(const ListedName&)>& visit) const override;

 private:
  [[nodiscard]] NodePtr layer(const std::string& name, const blobstore::Digest& digest) const;

  const TreeContextPtr context_;
  const std::shared_ptr<const ImagePlace> place_;
  const blobstore::Descriptor manifest_;
  const NodeId id_;
};

}  // namespace imagefs::fs
