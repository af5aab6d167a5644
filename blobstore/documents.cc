#include "blobstore/documents.h"

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cerrno>
#include <span>

#include "blobstore/descriptor_json.h"
#include "blobstore/error.h"
#include "blobstore/json.h"

namespace imagefs::blobstore {
namespace {

constexpr std::uint64_t kSchemaVersion = 2;

// What the media types of layers start with; behind it stands the compression.
constexpr std::array<std::string_view, 2> kForeignTypes{
    "application/vnd.oci.image.layer.nondistributable.v1.tar",
    "application/vnd.docker.image.rootfs.foreign.diff.tar"};
constexpr std::array<std::string_view, 2> kLayerTypes{"application/vnd.oci.image.layer.v1.tar",
                                                      media_type::kDockerLayer};

bool starts_with_any(std::string_view type, std::span<const std::string_view> starts) {
  return std::ranges::any_of(starts, [&](auto start) { return type.starts_with(start); });
}

// The media type of the document: the descriptor's word and the document's own must agree; where
// neither says, the shape tells.
std::string media_type_of(const boost::json::object& object, const std::string& declared,
                          const std::string& what) {
  std::string own = json::find_string(object, "mediaType", what).value_or("");
  if (!own.empty() && !declared.empty() && own != declared) {
    throw Error(EINVAL, what + ": its mediaType is \"" + own + "\", its descriptor says \"" +
                            declared + "\"");
  }
  if (!own.empty()) return own;
  if (!declared.empty()) return declared;
  return json::find(object, "manifests", what) ? media_type::kOciIndex : media_type::kOciManifest;
}

void check_shape(const boost::json::object& object, const std::string& type,
                 const std::string& what) {
  if (!is_document(type)) {
    throw Error(EINVAL, what + ": the media type \"" + type + "\" is no manifest's and no index's");
  }
  const bool lists_manifests = json::find(object, "manifests", what) != nullptr;
  const bool has_content = json::find(object, "layers", what) || json::find(object, "config", what);
  if (lists_manifests && has_content) {
    throw Error(EINVAL, what + ": has both \"manifests\" and \"layers\" or \"config\"");
  }
  if (is_index(type) ? !lists_manifests && has_content : lists_manifests) {
    throw Error(EINVAL, what + ": is not what its media type \"" + type + "\" says");
  }
}

void check_schema(const boost::json::object& object, const std::string& what) {
  const auto version = json::find_size(object, "schemaVersion", what);
  if (version && *version != kSchemaVersion) {
    throw Error(EINVAL, what + ": schemaVersion is " + std::to_string(*version) + ", not 2");
  }
}

std::vector<Descriptor> find_descriptors(const boost::json::object& object, std::string_view key,
                                         const std::string& what) {
  std::vector<Descriptor> descriptors;
  const boost::json::array* array = json::find_array(object, key, what);
  if (!array) return descriptors;
  for (const boost::json::value& item : *array) {
    const std::string place =
        what + ", " + std::string(key) + "[" + std::to_string(descriptors.size()) + "]";
    descriptors.push_back(parse_descriptor(item, place));
  }
  return descriptors;
}

std::optional<Descriptor> find_descriptor(const boost::json::object& object, std::string_view key,
                                          const std::string& what) {
  const boost::json::value* value = json::find(object, key, what);
  if (!value) return std::nullopt;
  return parse_descriptor(*value, what + ", " + std::string(key));
}

Manifest make_manifest(const boost::json::object& object, std::string type,
                       const std::string& what) {
  auto config = find_descriptor(object, "config", what);
  if (!config) throw Error(EINVAL, what + ": has no \"config\"");
  return Manifest{.media_type = std::move(type),
                  .config = *std::move(config),
                  .layers = find_descriptors(object, "layers", what),
                  .subject = find_descriptor(object, "subject", what),
                  .artifact_type = json::find_string(object, "artifactType", what).value_or("")};
}

ImageIndex make_index(const boost::json::object& object, std::string type,
                      const std::string& what) {
  return ImageIndex{.media_type = std::move(type),
                    .manifests = find_descriptors(object, "manifests", what),
                    .subject = find_descriptor(object, "subject", what)};
}

Document make_document(const boost::json::object& object, const std::string& declared_media_type,
                       const std::string& what) {
  check_schema(object, what);
  std::string type = media_type_of(object, declared_media_type, what);
  check_shape(object, type, what);
  if (is_index(type)) return make_index(object, std::move(type), what);
  return make_manifest(object, std::move(type), what);
}

std::vector<Digest> parse_diff_ids(const boost::json::object& config, const std::string& what) {
  std::vector<Digest> diff_ids;
  const boost::json::value* rootfs = json::find(config, "rootfs", what);
  if (!rootfs) return diff_ids;
  const std::string place = what + ", rootfs";
  const boost::json::array* array =
      json::find_array(json::as_object(*rootfs, place), "diff_ids", place);
  if (!array) return diff_ids;
  for (const boost::json::value& item : *array) {
    const auto digest = item.is_string() ? Digest::parse(item.get_string()) : std::nullopt;
    if (!digest) {
      throw Error(EINVAL, place + ": diff_ids[" + std::to_string(diff_ids.size()) +
                              "] is no sha256 digest");
    }
    diff_ids.push_back(*digest);
  }
  return diff_ids;
}

// A tar of files, in any compression. What is encrypted nobody here can read.
bool is_layer(const Descriptor& descriptor) {
  const std::string& type = descriptor.media_type;
  return !type.ends_with("+encrypted") &&
         (starts_with_any(type, kForeignTypes) || starts_with_any(type, kLayerTypes));
}

}  // namespace

bool Manifest::is_image() const {
  const bool has_image_config =
      config.media_type == media_type::kOciConfig || config.media_type == media_type::kDockerConfig;
  return has_image_config && std::ranges::all_of(layers, is_layer);
}

bool is_index(std::string_view type) {
  return type == media_type::kOciIndex || type == media_type::kDockerManifestList;
}

bool is_document(std::string_view type) {
  return is_index(type) || type == media_type::kOciManifest || type == media_type::kDockerManifest;
}

Document parse_document(std::string_view bytes, const std::string& declared_media_type,
                        const std::string& what) {
  const boost::json::value value = json::parse(bytes, what);
  return make_document(json::as_object(value, what), declared_media_type, what);
}

bool is_foreign(const Descriptor& layer) {
  return !layer.urls.empty() || starts_with_any(layer.media_type, kForeignTypes);
}

ImageIndex parse_index(std::string_view bytes, const std::string& what) {
  const boost::json::value value = json::parse(bytes, what);
  const boost::json::object& object = json::as_object(value, what);
  if (!json::find(object, "manifests", what)) {
    throw Error(EINVAL, what + ": has no \"manifests\"");
  }
  Document document = make_document(object, "", what);
  if (auto* const index = std::get_if<ImageIndex>(&document)) return std::move(*index);
  throw Error(EINVAL, what + ": is no index");
}

ImageConfig parse_config(std::string_view bytes, const std::string& what) {
  const boost::json::value value = json::parse(bytes, what);
  const boost::json::object& object = json::as_object(value, what);
  return ImageConfig{.platform = parse_platform(object, what),
                     .diff_ids = parse_diff_ids(object, what)};
}

}  // namespace imagefs::blobstore
