// The directory of one image, or of one platform of an image.
//
//   manifest.json  config.json  layers/            and what TreeOptions::image_children adds
//   index.json  platforms/<os>-<arch>[-<variant>]/ when the image is an index
//   <64 hex>                                       unlisted: any blob that the image refers to
#pragma once

#include <memory>
#include <string>

#include "fs/image_content.h"
#include "fs/node.h"
#include "fs/tree_context.h"

namespace imagefs::fs {

class ImageDirectory final : public Node {
 public:
  ImageDirectory(TreeContextPtr context, ImagePlace place);

  [[nodiscard]] NodeId id() const override { return id_; }
  // Of the descriptor alone: no document is read for it.
  [[nodiscard]] struct stat attributes() const override;
  [[nodiscard]] Lifetime lifetime() const override;
  // Both throw Error{EIO} when the manifest is damaged, or gone and listed, Error{ESTALE} when it
  // is gone with its image.
  [[nodiscard]] NodePtr lookup(std::string_view name) const override;
  void list(std::uint64_t offset,
            const std::function<bool(const ListedName&)>& visit) const override;

 private:
  struct Builtin;
  static const std::vector<Builtin>& builtins();

  [[nodiscard]] NodePtr index_json(const ImageContent& content) const;
  [[nodiscard]] NodePtr platforms(const ImageContent& content) const;
  [[nodiscard]] NodePtr manifest_json(const ImageContent& content) const;
  [[nodiscard]] NodePtr config_json(const ImageContent& content) const;
  [[nodiscard]] NodePtr layers(const ImageContent& content) const;
  [[nodiscard]] NodePtr extra(const ImageContent& content, const ImageChild& child) const;
  [[nodiscard]] NodePtr blob(std::string_view name, const blobstore::Descriptor& descriptor,
                             bool is_small) const;
  [[nodiscard]] NodePtr unlisted_blob(std::string_view hex) const;
  [[nodiscard]] bool is_index() const;

  const TreeContextPtr context_;
  const std::shared_ptr<const ImagePlace> place_;
  const NodeId id_;
};

}  // namespace imagefs::fs
