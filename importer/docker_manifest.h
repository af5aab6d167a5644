// manifest.json of a Docker archive, and the Docker schema 2 manifest that an import makes from it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "blobstore/descriptor.h"
#include "importer/limits.h"

namespace imagefs::importer {

// One element of manifest.json; the names are those of entries of the archive.
struct DockerImage {
  std::string config;
  std::vector<std::string> repo_tags;
  std::vector<std::string> layers;
};

// Throws Error: EINVAL for what is no such document, is empty or null; EFBIG over a limit.
[[nodiscard]] std::vector<DockerImage> parse_docker_manifest(std::string_view bytes,
                                                             const Limits& limits);

// The manifest's bytes, as containerd's importer writes them (Go's encoding/json, compact): its
// digest is the image's.
[[nodiscard]] std::string make_manifest(const blobstore::Descriptor& config,
                                        const std::vector<blobstore::Descriptor>& layers);

}  // namespace imagefs::importer
