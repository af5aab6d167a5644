#include "blobstore/index_entries.h"

#include <algorithm>
#include <boost/json/object.hpp>
#include <iterator>
#include <utility>

#include "blobstore/index.h"
#include "blobstore/reference.h"

namespace imagefs::blobstore {
namespace {

// A member of that name, when it is a string; else nothing.
std::string_view text_of(const boost::json::value* object, std::string_view key) {
  if (!object || !object->is_object()) return {};
  const boost::json::value* value = object->get_object().if_contains(key);
  if (!value || !value->is_string()) return {};
  return value->get_string();
}

std::optional<std::string> as_name(std::string_view text) {
  if (text.empty()) return std::nullopt;
  const auto reference = Reference::try_parse(text);
  if (!reference) return std::nullopt;
  return reference->str();
}

// A bare tag in org.opencontainers.image.ref.name names nothing.
std::optional<std::string> name_of(const IndexEntry& entry) {
  if (auto name = as_name(entry.annotation(kNameAnnotation))) return name;
  const std::string_view ref_name = entry.annotation(kRefNameAnnotation);
  return is_tag(ref_name) ? std::nullopt : as_name(ref_name);
}

std::vector<IndexEntries::Place> find(
    const std::unordered_map<std::string, std::vector<IndexEntries::Place>>& places,
    const std::string& key) {
  const auto found = places.find(key);
  return found == places.end() ? std::vector<IndexEntries::Place>() : found->second;
}

}  // namespace

std::string_view IndexEntry::annotation(std::string_view key) const {
  return value.is_object() ? text_of(value.get_object().if_contains("annotations"), key)
                           : std::string_view();
}

boost::json::object& IndexEntry::writable_annotations() {
  boost::json::value& annotations = value.as_object()["annotations"];
  return annotations.is_object() ? annotations.get_object() : annotations.emplace_object();
}

void IndexEntries::push_back(boost::json::value value) {
  entries_.push_back({.value = std::move(value), .name = {}, .digest = {}});
  const Place place = std::prev(entries_.end());
  place->name = name_of(*place);
  place->digest = text_of(&place->value, "digest");
  if (place->name) by_name_[*place->name].push_back(place);
  by_digest_[place->digest].push_back(place);
}

void IndexEntries::erase(Place place) {
  take_name(place);
  std::erase(by_digest_[place->digest], place);
  entries_.erase(place);
}

void IndexEntries::take_name(Place place) {
  if (place->name) std::erase(by_name_[*place->name], place);
  place->name.reset();
}

std::vector<IndexEntries::Place> IndexEntries::named(const std::string& name) const {
  return find(by_name_, name);
}

std::vector<IndexEntries::Place> IndexEntries::with_digest(const std::string& digest) const {
  return find(by_digest_, digest);
}

}  // namespace imagefs::blobstore
