// OCI archives of one image for the importer's tests, to be changed by them.
#pragma once

#include <string>
#include <vector>

#include "tests/importer/import_fixture.h"
#include "tests/support/image_archive.h"

namespace imagefs::tests {

inline const std::string kBase = layer_with("base", "base");
inline const std::string kTop = layer_with("top", std::string(100'000, 't'));
inline const std::string kConfig = config_for({kBase, kTop});
inline const std::string kManifest = oci_manifest(kConfig, {kBase, kTop});
inline const std::string kNamed =
    R"(,"annotations":{"org.opencontainers.image.ref.name":"oci.example/x:1"})";

inline OciWriter blobs() {
  OciWriter writer;
  writer.blob(kBase).blob(kTop).blob(kConfig).blob(kManifest);
  return writer;
}

inline std::string flat_index(const std::string& more = kNamed) {
  return oci_index({descriptor_of(kOciManifestType, kManifest, more)});
}

// An archive of one image, whose manifest is `manifest`.
inline std::string archive_of(const std::string& manifest, const std::vector<std::string>& others,
                              const std::string& type = kOciManifestType) {
  OciWriter writer;
  for (const std::string& bytes : others) writer.blob(bytes);
  return writer.blob(manifest).with_index(oci_index({descriptor_of(type, manifest, kNamed)})).str();
}

inline std::string index_of(const std::vector<std::string>& descriptors) {
  std::string index = oci_index(descriptors);
  return index.insert(1, R"("mediaType":")" + std::string(kOciIndexType) + R"(",)");
}

inline std::string named(const char* key, const std::string& name) {
  return R"(,"annotations":{")" + std::string(key) + R"(":")" + name + R"("})";
}

}  // namespace imagefs::tests
