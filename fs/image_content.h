// What of an image is in the store, found by reading its manifest or index.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "blobstore/documents.h"
#include "fs/tree_context.h"

namespace imagefs::fs {

struct PresentPlatform {
  std::string name;  // "linux-arm64-v8": a name of one component
  blobstore::Platform platform;
  blobstore::Descriptor descriptor;  // of its manifest
};

struct ImageContent {
  std::vector<PresentPlatform> platforms;  // of an index, in its order
  // Of the manifest itself, or of the present platform of an index that fits the context's best;
  // the first one when none fits. Nothing when none is present.
  std::optional<blobstore::Descriptor> manifest_descriptor;
  std::shared_ptr<const blobstore::Manifest> manifest;
};

// All throw Error: EIO when a document is damaged, or absent although index.json lists it; ESTALE
// when another is absent: its image was removed.
[[nodiscard]] ImageContent read_image(const TreeContext& context,
                                      const blobstore::Descriptor& descriptor);
[[nodiscard]] std::shared_ptr<const blobstore::Manifest> read_manifest(
    const TreeContext& context, const blobstore::Descriptor& descriptor);
// What the image says of a blob that it refers to, itself included, whether the blob is there or
// not.
[[nodiscard]] std::optional<blobstore::Descriptor> find_descriptor(
    const TreeContext& context, const blobstore::Descriptor& image,
    const blobstore::Digest& digest);

// The descriptor of a manifest or an index that is in the store, whether an image leads to it or
// not.
[[nodiscard]] std::optional<blobstore::Descriptor> find_document(const blobstore::Store& store,
                                                                 const blobstore::Digest& digest);

}  // namespace imagefs::fs
