// images/ and the directories in it that image names lead through.
//
// Each call looks into the view that is current then, so a new name is there at once.
#pragma once

#include <memory>
#include <string>

#include "fs/node.h"
#include "fs/tree_context.h"

namespace imagefs::fs {

class NamesDirectory final : public Node {
 public:
  // `path`: "images", "images/docker.io" …
  NamesDirectory(TreeContextPtr context, std::string path);

  [[nodiscard]] NodeId id() const override { return id_; }
  // These three throw Error{ESTALE} when no name leads through the directory any more.
  [[nodiscard]] struct stat attributes() const override;
  [[nodiscard]] NodePtr lookup(std::string_view name) const override;
  void list(std::uint64_t offset,
            const std::function<bool(const ListedName&)>& visit) const override;
  [[nodiscard]] Lifetime lifetime() const override { return Lifetime::snapshot; }

 private:
  [[nodiscard]] const ViewDirectory& in(const View& view) const;
  [[nodiscard]] NodePtr familiar(const View& view, const ViewDirectory& directory,
                                 std::string_view name) const;
  [[nodiscard]] NodePtr unlisted_image(std::string_view name) const;

  const TreeContextPtr context_;
  const std::string path_;
  const NodeId id_;
};

}  // namespace imagefs::fs
