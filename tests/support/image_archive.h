// Writes image archives for tests, Docker's and OCI's.
#pragma once

#include <string>
#include <vector>

#include "tests/support/layer_writer.h"

namespace imagefs::tests {

[[nodiscard]] std::string digest_of(const std::string& bytes);  // "sha256:…"
[[nodiscard]] std::string hex_of(const std::string& bytes);

// A layer that holds one file.
[[nodiscard]] std::string layer_with(const std::string& name, const std::string& data);
// An image config for linux/amd64 with these diff IDs.
[[nodiscard]] std::string config_for(const std::vector<std::string>& plain_layers);
// `["a","b"]`
[[nodiscard]] std::string json_list(const std::vector<std::string>& texts);

// One image of a manifest.json.
[[nodiscard]] std::string docker_entry(const std::string& config, const std::string& repo_tags,
                                       const std::vector<std::string>& layers);

// `{"mediaType":…,"digest":…,"size":…<more>}` for a blob; `more` starts with a comma.
[[nodiscard]] std::string descriptor_of(const std::string& media_type, const std::string& bytes,
                                        const std::string& more = "");
[[nodiscard]] std::string oci_manifest(const std::string& config,
                                       const std::vector<std::string>& layers);
[[nodiscard]] std::string oci_index(const std::vector<std::string>& descriptors);

// An OCI layout in a tar.
class OciWriter {
 public:
  OciWriter& blob(const std::string& bytes);
  // The archive: blobs in the order they were added, then index.json and oci-layout.
  [[nodiscard]] LayerWriter with_index(const std::string& index) const;

 private:
  LayerWriter tar_;
};

inline constexpr auto kOciManifestType = "application/vnd.oci.image.manifest.v1+json";
inline constexpr auto kOciIndexType = "application/vnd.oci.image.index.v1+json";
inline constexpr auto kOciConfigType = "application/vnd.oci.image.config.v1+json";
inline constexpr auto kOciLayerType = "application/vnd.oci.image.layer.v1.tar";

}  // namespace imagefs::tests
