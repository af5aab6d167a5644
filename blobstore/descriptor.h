// An OCI content descriptor: what a document says of a blob that it refers to.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "blobstore/digest.h"
#include "blobstore/platform.h"

namespace imagefs::blobstore {

struct Descriptor {
  std::string media_type;
  Digest digest;
  std::uint64_t size;  // bytes
  std::optional<Platform> platform = {};
  std::map<std::string, std::string> annotations = {};
  std::vector<std::string> urls = {};
  // Members that mean nothing here (artifactType, data …), each value as JSON.
  std::map<std::string, std::string> others = {};

  [[nodiscard]] auto operator<=>(const Descriptor&) const = default;
};

namespace media_type {
inline constexpr auto kOciManifest = "application/vnd.oci.image.manifest.v1+json";
inline constexpr auto kOciIndex = "application/vnd.oci.image.index.v1+json";
inline constexpr auto kOciConfig = "application/vnd.oci.image.config.v1+json";
inline constexpr auto kDockerManifest = "application/vnd.docker.distribution.manifest.v2+json";
inline constexpr auto kDockerManifestList =
    "application/vnd.docker.distribution.manifest.list.v2+json";
inline constexpr auto kDockerConfig = "application/vnd.docker.container.image.v1+json";
inline constexpr auto kDockerLayer = "application/vnd.docker.image.rootfs.diff.tar";
inline constexpr auto kDockerLayerGzip = "application/vnd.docker.image.rootfs.diff.tar.gzip";
}  // namespace media_type

}  // namespace imagefs::blobstore
