#include "blobstore/descriptor_json.h"

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <cerrno>
#include <limits>

#include "blobstore/error.h"
#include "blobstore/json.h"

namespace imagefs::blobstore {
namespace {

constexpr std::array<std::string_view, 6> kMembers{"mediaType", "digest",      "size",
                                                   "urls",      "annotations", "platform"};
constexpr std::uint64_t kMaxSize = std::numeric_limits<std::int64_t>::max();

std::string require_string(const boost::json::object& object, std::string_view key,
                           const std::string& what) {
  auto text = json::find_string(object, key, what);
  if (!text || text->empty()) throw Error(EINVAL, what + ": has no \"" + std::string(key) + "\"");
  return *std::move(text);
}

Digest require_digest(const boost::json::object& object, const std::string& what) {
  const std::string text = require_string(object, "digest", what);
  if (const auto digest = Digest::parse(text)) return *digest;
  throw Error(EINVAL, what + ": \"" + text + "\" is no sha256 digest");
}

std::uint64_t require_size(const boost::json::object& object, const std::string& what) {
  const auto size = json::find_size(object, "size", what);
  if (!size) throw Error(EINVAL, what + ": has no \"size\"");
  if (*size > kMaxSize)
    throw Error(EINVAL, what + ": the size " + std::to_string(*size) + " does not fit");
  return *size;
}

std::vector<std::string> find_strings(const boost::json::object& object, std::string_view key,
                                      const std::string& what) {
  std::vector<std::string> texts;
  const boost::json::array* array = json::find_array(object, key, what);
  if (!array) return texts;
  for (const boost::json::value& item : *array) {
    if (!item.is_string()) {
      throw Error(EINVAL,
                  what + ": \"" + std::string(key) + "\" holds something that is no string");
    }
    texts.emplace_back(std::string_view(item.get_string()));
  }
  return texts;
}

std::map<std::string, std::string> find_annotations(const boost::json::object& object,
                                                    const std::string& what) {
  std::map<std::string, std::string> annotations;
  const boost::json::value* value = json::find(object, "annotations", what);
  if (!value) return annotations;
  const std::string place = what + ", annotations";
  for (const auto& member : json::as_object(*value, place)) {
    if (!member.value().is_string()) {
      throw Error(EINVAL, what + ": the annotation \"" +
                              std::string(std::string_view(member.key())) + "\" is no string");
    }
    annotations.emplace(std::string_view(member.key()),
                        std::string_view(member.value().get_string()));
  }
  return annotations;
}

std::map<std::string, std::string> find_others(const boost::json::object& object) {
  std::map<std::string, std::string> others;
  for (const auto& member : object) {
    const std::string_view key = member.key();
    if (std::ranges::find(kMembers, key) == kMembers.end()) {
      others.emplace(key, boost::json::serialize(member.value()));
    }
  }
  return others;
}

}  // namespace

boost::json::object to_json(const Platform& platform) {
  boost::json::object object{{"architecture", platform.architecture}, {"os", platform.os}};
  if (!platform.os_version.empty()) object["os.version"] = platform.os_version;
  if (!platform.os_features.empty()) {
    object["os.features"] =
        boost::json::array(platform.os_features.begin(), platform.os_features.end());
  }
  if (!platform.variant.empty()) object["variant"] = platform.variant;
  return object;
}

Platform parse_platform(const boost::json::object& object, const std::string& what) {
  const auto text = [&](std::string_view key) {
    return json::find_string(object, key, what).value_or("");
  };
  return Platform{.os = text("os"),
                  .architecture = text("architecture"),
                  .variant = text("variant"),
                  .os_version = text("os.version"),
                  .os_features = find_strings(object, "os.features", what)};
}

Descriptor parse_descriptor(const boost::json::value& value, const std::string& what) {
  const boost::json::object& object = json::as_object(value, what);
  Descriptor descriptor{.media_type = require_string(object, "mediaType", what),
                        .digest = require_digest(object, what),
                        .size = require_size(object, what),
                        .annotations = find_annotations(object, what),
                        .urls = find_strings(object, "urls", what),
                        .others = find_others(object)};
  if (const boost::json::value* platform = json::find(object, "platform", what)) {
    descriptor.platform = parse_platform(json::as_object(*platform, what + ", platform"), what);
  }
  return descriptor;
}

boost::json::object to_json(const Descriptor& descriptor) {
  boost::json::object object{{"mediaType", descriptor.media_type},
                             {"digest", descriptor.digest.str()},
                             {"size", descriptor.size}};
  if (!descriptor.urls.empty()) {
    object["urls"] = boost::json::array(descriptor.urls.begin(), descriptor.urls.end());
  }
  if (!descriptor.annotations.empty()) {
    boost::json::object annotations;
    for (const auto& [key, text] : descriptor.annotations) annotations[key] = text;
    object["annotations"] = std::move(annotations);
  }
  if (descriptor.platform) object["platform"] = to_json(*descriptor.platform);
  for (const auto& [key, text] : descriptor.others) object[key] = boost::json::parse(text);
  return object;
}

}  // namespace imagefs::blobstore
