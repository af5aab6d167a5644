// A file of the mount that is a blob of the store: in blobs/sha256/, a manifest, a config.
#pragma once

#include <sys/stat.h>

#include <memory>
#include <optional>
#include <string>

#include "blobstore/descriptor.h"
#include "blobstore/store.h"
#include "fs/image_child.h"
#include "fs/node.h"

namespace imagefs::fs {

// What a blob is on disk. Nothing when it is absent, or when what has its name is no regular file.
[[nodiscard]] std::optional<struct stat> stat_blob(const blobstore::Store& store,
                                                   const blobstore::Digest& digest);
// The directory blobs/sha256 itself. Nothing when it is absent.
[[nodiscard]] std::optional<struct stat> stat_blobs_directory(const blobstore::Store& store);
// The bytes of a blob. Throws Error{ESTALE} when it is gone, Error{EIO} when it is known to be
// damaged.
[[nodiscard]] ContentPtr open_blob_content(const blobstore::Store& store,
                                           const blobstore::Digest& digest);

class BlobNode final : public Node {
 public:
  // What is known of the blob, besides its digest.
  struct Facts {
    blobstore::Digest digest;
    std::optional<std::uint64_t> size = {};  // what the descriptor promises
    std::string media_type = {};             // empty: unknown
    bool is_small = false;  // a document: its digest is checked each time it is opened
  };

  // Null when the blob is absent.
  [[nodiscard]] static NodePtr make(NodeId id, std::shared_ptr<const blobstore::Store> store,
                                    const Owner& owner, Facts facts);

  [[nodiscard]] NodeId id() const override { return attributes_.st_ino; }
  [[nodiscard]] struct stat attributes() const override { return attributes_; }
  [[nodiscard]] Lifetime lifetime() const override { return Lifetime::fixed; }
  // Throws Error{ESTALE} when the blob is gone, Error{EIO} when it is known to be damaged.
  [[nodiscard]] ContentPtr open() const override;
  [[nodiscard]] std::vector<std::string> xattr_names() const override;
  [[nodiscard]] std::optional<std::string> xattr(std::string_view name) const override;

  BlobNode(std::shared_ptr<const blobstore::Store> store, Facts facts,
           const struct stat& attributes);

 private:
  const std::shared_ptr<const blobstore::Store> store_;
  const Facts facts_;
  const struct stat attributes_;
};

}  // namespace imagefs::fs
