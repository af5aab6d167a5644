#include "importer/docker_manifest.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cerrno>

#include "blobstore/error.h"
#include "blobstore/json.h"

namespace imagefs::importer {
namespace {

namespace json = blobstore::json;

std::vector<std::string> strings(const boost::json::object& object, std::string_view key,
                                 const std::string& what) {
  std::vector<std::string> texts;
  const boost::json::array* const array = json::find_array(object, key, what);
  if (!array) return texts;
  for (const boost::json::value& item : *array) {
    if (!item.is_string()) {
      throw Error(EINVAL, what + ": \"" + std::string(key) + "\" holds what is no string");
    }
    texts.emplace_back(std::string_view(item.get_string()));
  }
  return texts;
}

DockerImage parse_image(const boost::json::value& value, const std::string& what,
                        const Limits& limits) {
  const boost::json::object& object = json::as_object(value, what);
  auto config = json::find_string(object, "Config", what);
  if (!config || config->empty()) throw Error(EINVAL, what + ": has no \"Config\"");
  DockerImage image{.config = *std::move(config),
                    .repo_tags = strings(object, "RepoTags", what),
                    .layers = strings(object, "Layers", what)};
  if (image.layers.size() > limits.max_layers) {
    throw Error(EFBIG, what + ": has " + std::to_string(image.layers.size()) +
                           " layers, the limit is " + std::to_string(limits.max_layers));
  }
  return image;
}

// Media types and digests hold nothing that JSON, or Go, would escape.
std::string to_json(const blobstore::Descriptor& descriptor) {
  return R"({"mediaType":")" + descriptor.media_type + R"(","digest":")" + descriptor.digest.str() +
         R"(","size":)" + std::to_string(descriptor.size) + "}";
}

}  // namespace

std::vector<DockerImage> parse_docker_manifest(std::string_view bytes, const Limits& limits) {
  const boost::json::value value = json::parse(bytes, "manifest.json");
  const boost::json::array* const array = value.if_array();
  if (!array) throw Error(EINVAL, "manifest.json: is no JSON array of images");
  if (array->empty()) throw Error(EINVAL, "manifest.json: lists no images");
  if (array->size() > limits.max_manifests) {
    throw Error(EFBIG, "manifest.json: lists " + std::to_string(array->size()) +
                           " images, the limit is " + std::to_string(limits.max_manifests));
  }
  std::vector<DockerImage> images;
  for (const boost::json::value& item : *array) {
    const std::string what = "manifest.json, image " + std::to_string(images.size() + 1);
    images.push_back(parse_image(item, what, limits));
  }
  return images;
}

std::string make_manifest(const blobstore::Descriptor& config,
                          const std::vector<blobstore::Descriptor>& layers) {
  std::string text = R"({"schemaVersion":2,"mediaType":")";
  text += blobstore::media_type::kDockerManifest;
  text += R"(","config":)" + to_json(config) + R"(,"layers":[)";
  for (const blobstore::Descriptor& layer : layers) {
    if (&layer != &layers.front()) text += ',';
    text += to_json(layer);
  }
  return text + "]}";
}

}  // namespace imagefs::importer
