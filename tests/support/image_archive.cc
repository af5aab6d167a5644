#include "tests/support/image_archive.h"

#include "blobstore/digest.h"

namespace imagefs::tests {

std::string digest_of(const std::string& bytes) { return blobstore::sha256(bytes).str(); }

std::string hex_of(const std::string& bytes) { return blobstore::sha256(bytes).hex(); }

std::string layer_with(const std::string& name, const std::string& data) {
  return LayerWriter().file(name, data).str();
}

std::string json_list(const std::vector<std::string>& texts) {
  std::string list = "[";
  for (const std::string& text : texts) {
    if (list.size() > 1) list += ',';
    list += '"' + text + '"';
  }
  return list + "]";
}

std::string config_for(const std::vector<std::string>& plain_layers) {
  std::vector<std::string> diff_ids;
  for (const std::string& layer : plain_layers) diff_ids.push_back(digest_of(layer));
  return R"({"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":)" +
         json_list(diff_ids) + "}}";
}

std::string docker_entry(const std::string& config, const std::string& repo_tags,
                         const std::vector<std::string>& layers) {
  return R"({"Config":")" + config + R"(","RepoTags":)" + repo_tags + R"(,"Layers":)" +
         json_list(layers) + "}";
}

std::string descriptor_of(const std::string& media_type, const std::string& bytes,
                          const std::string& more) {
  return R"({"mediaType":")" + media_type + R"(","digest":")" + digest_of(bytes) + R"(","size":)" +
         std::to_string(bytes.size()) + more + "}";
}

std::string oci_manifest(const std::string& config, const std::vector<std::string>& layers) {
  std::string list;
  for (const std::string& layer : layers) {
    if (!list.empty()) list += ',';
    list += descriptor_of(kOciLayerType, layer);
  }
  return R"({"schemaVersion":2,"mediaType":")" + std::string(kOciManifestType) + R"(","config":)" +
         descriptor_of(kOciConfigType, config) + R"(,"layers":[)" + list + "]}";
}

std::string oci_index(const std::vector<std::string>& descriptors) {
  std::string list;
  for (const std::string& descriptor : descriptors) {
    if (!list.empty()) list += ',';
    list += descriptor;
  }
  return R"({"schemaVersion":2,"manifests":[)" + list + "]}";
}

OciWriter& OciWriter::blob(const std::string& bytes) {
  tar_.file("blobs/sha256/" + hex_of(bytes), bytes);
  return *this;
}

LayerWriter OciWriter::with_index(const std::string& index) const {
  LayerWriter tar = tar_;
  tar.file("index.json", index);
  tar.file("oci-layout", R"({"imageLayoutVersion":"1.0.0"})");
  return tar;
}

}  // namespace imagefs::tests
