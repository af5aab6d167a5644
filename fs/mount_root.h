// The mount's root: the tree of the store, plus ingest/.
//
// A name that is in ingest/ is found here too, unlisted, because people copy archives to the root.
#pragma once

#include "fs/ingest.h"
#include "fs/node.h"

namespace imagefs::fs {

class MountRoot final : public Node {
 public:
  // `ingest`: null for a mount without; must outlive this node.
  MountRoot(NodePtr tree, const Ingest* ingest) : tree_(std::move(tree)), ingest_(ingest) {}

  [[nodiscard]] NodeId id() const override { return tree_->id(); }
  [[nodiscard]] struct stat attributes() const override;
  [[nodiscard]] Lifetime lifetime() const override { return Lifetime::volatile_; }
  [[nodiscard]] NodePtr lookup(std::string_view name) const override;
  void list(std::uint64_t offset,
            const std::function<bool(const ListedName&)>& visit) const override;
  // Whether the name is the tree's own: nothing may be created or renamed over it.
  [[nodiscard]] bool is_taken(std::string_view name) const;

 private:
  const NodePtr tree_;
  const Ingest* const ingest_;
};

}  // namespace imagefs::fs
