// A file of the mount that is a blob of the store: in blobs/sha256/, a manifest, a config.
#pragma once

#include <sys/stat.h>

#include <memory>
#include <optional>
#include <string>

#include "blobstore/descriptor.h"
#include "blobstore/store.h"
#include "fs/blob_content.h"
#include "fs/image_child.h"
#include "fs/node.h"

namespace imagefs::fs {

// What a blob is on disk. Nothing when it is absent, or when what has its name is no regular file.
[[nodiscard]] std::optional<struct stat> stat_blob(const blobstore::Store& store,
                                                   const blobstore::Digest& digest);
// The directory blobs/sha256 itself. Nothing when it is absent.
[[nodiscard]] std::optional<struct stat> stat_blobs_directory(const blobstore::Store& store);

class BlobNode final : public Node {
 public:
  // Null when the blob is absent.
  [[nodiscard]] static NodePtr make(NodeId id, std::shared_ptr<const blobstore::Store> store,
                                    const Owner& owner, BlobFacts facts);

  [[nodiscard]] NodeId id() const override { return attributes_.st_ino; }
  [[nodiscard]] struct stat attributes() const override { return attributes_; }
  [[nodiscard]] Lifetime lifetime() const override { return Lifetime::fixed; }
  // Throws Error{ESTALE} when the blob is gone, Error{EIO} when it is known to be damaged.
  [[nodiscard]] ContentPtr open() const override;
  [[nodiscard]] std::vector<std::string> xattr_names() const override;
  [[nodiscard]] std::optional<std::string> xattr(std::string_view name) const override;

  BlobNode(std::shared_ptr<const blobstore::Store> store, BlobFacts facts,
           const struct stat& attributes);

 private:
  const std::shared_ptr<const blobstore::Store> store_;
  const BlobFacts facts_;
  const struct stat attributes_;
};

}  // namespace imagefs::fs
