#include "importer/docker_archive.h"

#include <cerrno>
#include <utility>

#include "blobstore/documents.h"
#include "blobstore/error.h"
#include "blobstore/reference.h"
#include "importer/diff_ids.h"
#include "importer/docker_manifest.h"
#include "importer/document_turn.h"

namespace imagefs::importer {
namespace {

using blobstore::Descriptor;

// containerd's importer calls zstd gzip too, and knows no other compression.
const char* layer_media_type(Compression compression) {
  const bool known = compression == Compression::gzip || compression == Compression::zstd;
  return known ? blobstore::media_type::kDockerLayerGzip : blobstore::media_type::kDockerLayer;
}

class DockerReader {
 public:
  DockerReader(Archive& archive, const Limits& limits) : archive_(archive), limits_(limits) {}

  Reading run() {
    Content* const manifest = archive_.find_control_file("manifest.json");
    if (!manifest) {
      reading_.missing.emplace(EINVAL, "the archive has no manifest.json");
      return std::move(reading_);
    }
    for (const DockerImage& image : read_manifest(*manifest)) {
      if (!read_image(image)) return std::move(reading_);
    }
    const std::string dangling = archive_.dangling_layer_link();
    if (!dangling.empty()) reading_.missing.emplace(EINVAL, dangling);
    return std::move(reading_);
  }

 private:
  std::vector<DockerImage> read_manifest(const Content& manifest) {
    const DocumentTurn turn(manifest.size());
    return parse_docker_manifest(manifest.text(limits_.max_json, "manifest.json"), limits_);
  }

  bool read_image(const DockerImage& image) {
    Content* const config = find(image.config);
    if (!config) return false;
    std::vector<Content*> layers;
    for (const std::string& name : image.layers) {
      layers.push_back(find(name));
      if (!layers.back()) return false;
    }
    add_image(image, *config, layers);
    return true;
  }

  Content* find(const std::string& name) {
    Content* const content = archive_.find(name);
    if (!content) {
      reading_.missing.emplace(
          EINVAL, "manifest.json refers to \"" + name + "\", which " + archive_.why_absent(name));
    }
    return content;
  }

  void add_image(const DockerImage& image, Content& config, const std::vector<Content*>& layers) {
    const std::string what = "the config \"" + image.config + "\"";
    const auto parsed = read_config(config, limits_, what);
    check_diff_ids(parsed.diff_ids, layers, image.layers, limits_, what);
    std::vector<Descriptor> descriptors;
    for (Content* const layer : layers) {
      const Compression compression = layer->layer(limits_, "a layer").compression;
      descriptors.push_back(
          {layer_media_type(compression), layer->digest().value(), layer->size()});
      reading_.blobs.push_back(layer);
    }
    reading_.blobs.push_back(&config);
    const Content& manifest = reading_.made.emplace_back(make_manifest(
        {blobstore::media_type::kDockerConfig, config.digest().value(), config.size()},
        descriptors));
    reading_.images.push_back({.names = names_of(image),
                               .descriptor = {.media_type = blobstore::media_type::kDockerManifest,
                                              .digest = manifest.digest().value(),
                                              .size = manifest.size(),
                                              .platform = parsed.platform.normalised()}});
  }

  static std::vector<std::string> names_of(const DockerImage& image) {
    std::vector<std::string> names;
    for (const std::string& tag : image.repo_tags) {
      names.push_back(blobstore::Reference::parse(tag).str());
    }
    return names;
  }

  Archive& archive_;
  const Limits& limits_;
  Reading reading_;
};

}  // namespace

Reading read_docker_archive(Archive& archive, const Limits& limits) {
  return DockerReader(archive, limits).run();
}

}  // namespace imagefs::importer
