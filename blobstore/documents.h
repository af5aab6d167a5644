// The documents of an image: manifests, indexes and configs, OCI's and Docker's schema 2.
//
// Parsing keeps nothing of the text: a document's bytes are its identity and stay as they came.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "blobstore/descriptor.h"

namespace imagefs::blobstore {

struct Manifest {
  std::string media_type;
  Descriptor config;
  std::vector<Descriptor> layers;
  std::optional<Descriptor> subject;
  std::string artifact_type;  // empty: none

  // Whether the config is an image config (OCI's or Docker's) and the layers hold files, so that
  // there are layers to merge. Signatures and attestations have image configs too, and other
  // layers.
  [[nodiscard]] bool is_image() const;
};

struct ImageIndex {
  std::string media_type;
  std::vector<Descriptor> manifests;
  std::optional<Descriptor> subject;
};

using Document = std::variant<Manifest, ImageIndex>;

// Reads a manifest or an index. `declared_media_type`: what the descriptor says, may be empty.
// Throws Error{EINVAL} for what is no such document, has both `manifests` and `layers`/`config`
// (CVE-2021-41190), a mediaType field that disagrees with the descriptor, schemaVersion other than
// 2, or a digest that is not sha256:<hex>. `what` names the document in errors.
[[nodiscard]] Document parse_document(std::string_view bytes,
                                      const std::string& declared_media_type,
                                      const std::string& what);
// The same of an index.json, which has "manifests" and perhaps no mediaType.
[[nodiscard]] ImageIndex parse_index(std::string_view bytes, const std::string& what);
// Whether `media_type` names a manifest or an index (so that its blob is a Document).
[[nodiscard]] bool is_document(std::string_view media_type);
[[nodiscard]] bool is_index(std::string_view media_type);
// Whether it is to be had elsewhere, or may not be passed on, and so need not be present.
[[nodiscard]] bool is_foreign(const Descriptor& layer);

struct ImageConfig {
  Platform platform;  // as written, not normalised
  std::vector<Digest> diff_ids;
};
// Throws Error{EINVAL}. An absent rootfs gives no diff IDs.
[[nodiscard]] ImageConfig parse_config(std::string_view bytes, const std::string& what);

}  // namespace imagefs::blobstore
