#include "blobstore/index.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <boost/json/value.hpp>
#include <cerrno>
#include <functional>
#include <utility>

#include "blobstore/descriptor_json.h"
#include "blobstore/documents.h"
#include "blobstore/error.h"
#include "blobstore/index_entries.h"
#include "blobstore/json.h"

namespace imagefs::blobstore {
namespace {

constexpr const char* kWhat = "index.json";
constexpr const char* kManifests = "manifests";
constexpr std::uint64_t kSchemaVersion = 2;
constexpr std::size_t kMaxValues = 2'000'000;  // some 150,000 images

// Marked as superseded since `now`.
void lose_name(IndexEntries& entries, IndexEntries::Place place, const std::string& now) {
  entries.take_name(place);
  boost::json::object& annotations = place->writable_annotations();
  annotations.stable_erase(kNameAnnotation);
  annotations.stable_erase(kRefNameAnnotation);
  annotations[kSupersededAnnotation] = now;
}

Descriptor as_written(const Image& image) {
  Descriptor descriptor = image.descriptor;
  auto& annotations = descriptor.annotations;
  for (const char* key :
       {kNameAnnotation, kRefNameAnnotation, kImportedAnnotation, kSupersededAnnotation}) {
    annotations.erase(key);
  }
  if (image.name) annotations[kNameAnnotation] = annotations[kRefNameAnnotation] = *image.name;
  if (!image.imported.empty()) annotations[kImportedAnnotation] = image.imported;
  return descriptor;
}

std::optional<Image> as_image(const IndexEntry& entry) {
  try {
    return Image{.descriptor = parse_descriptor(entry.value, kWhat),
                 .name = entry.name,
                 .imported = std::string(entry.annotation(kImportedAnnotation)),
                 .superseded = std::string(entry.annotation(kSupersededAnnotation))};
  } catch (const Error&) {
    return std::nullopt;
  }
}

void check(const boost::json::object& root) {
  if (!json::find_array(root, "manifests", kWhat) && !root.contains("manifests")) {
    throw Error(EBADMSG, "index.json: has no \"manifests\"");
  }
  if (json::find(root, "layers", kWhat) || json::find(root, "config", kWhat)) {
    throw Error(EBADMSG, "index.json: has both \"manifests\" and \"layers\" or \"config\"");
  }
  const auto version = json::find_size(root, "schemaVersion", kWhat);
  if (version && *version != kSchemaVersion) {
    throw Error(EBADMSG, "index.json: schemaVersion is " + std::to_string(*version) + ", not 2");
  }
}

}  // namespace

struct Index::Document {
  boost::json::object root;  // without its manifests, which are null here
  IndexEntries entries;
  bool misleads = false;

  void add_named(const Image& image, const std::string& now);
  void add_untagged(const Image& image);
  bool remove_untagged(const Digest& digest, const std::function<bool(const IndexEntry&)>& which);
};

void Index::Document::add_named(const Image& image, const std::string& now) {
  const std::string digest = image.descriptor.digest.str();
  bool stands = false;
  for (const auto holder : entries.named(*image.name)) {
    if (holder->digest == digest && !stands) {
      stands = true;
      misleads |= is_index(image.descriptor.media_type);
      holder->writable_annotations()[kImportedAnnotation] = image.imported;
      continue;
    }
    misleads = true;
    if (holder->digest == digest || entries.with_digest(holder->digest).size() > 1) {
      entries.erase(holder);
    } else {
      lose_name(entries, holder, now);
    }
  }
  // What an earlier import of this manifest left without a name has one again.
  remove_untagged(image.descriptor.digest, [](const IndexEntry& entry) {
    return !entry.annotation(kImportedAnnotation).empty();
  });
  if (!stands) entries.push_back(to_json(as_written(image)));
}

void Index::Document::add_untagged(const Image& image) {
  const auto standing = entries.with_digest(image.descriptor.digest.str());
  for (const auto entry : standing) {
    if (entry->annotation(kSupersededAnnotation).empty()) continue;
    entry->writable_annotations().stable_erase(kSupersededAnnotation);
    entry->writable_annotations()[kImportedAnnotation] = image.imported;
  }
  misleads |= !standing.empty() && is_index(image.descriptor.media_type);
  if (standing.empty()) entries.push_back(to_json(as_written(image)));
}

bool Index::Document::remove_untagged(const Digest& digest,
                                      const std::function<bool(const IndexEntry&)>& which) {
  bool any = false;
  for (const auto entry : entries.with_digest(digest.str())) {
    if (entry->name || !which(*entry)) continue;
    entries.erase(entry);
    any = true;
  }
  return any;
}

Index::Index() : document_(std::make_unique<Document>()) {
  document_->root = {{"schemaVersion", kSchemaVersion},
                     {"mediaType", media_type::kOciIndex},
                     {kManifests, nullptr}};
}

Index::Index(std::string_view bytes) : document_(std::make_unique<Document>()) {
  try {
    boost::json::value value = json::parse(bytes, kWhat, kMaxValues);
    check(json::as_object(value, kWhat));
    document_->root = std::move(value.get_object());
  } catch (const Error& error) {
    throw Error(EBADMSG, error.sentence());
  }
  boost::json::value entries = std::exchange(document_->root.at(kManifests), nullptr);
  if (!entries.is_array()) return;
  for (boost::json::value& entry : entries.get_array()) {
    document_->entries.push_back(std::move(entry));
  }
}

Index::Index(Index&&) noexcept = default;
Index& Index::operator=(Index&&) noexcept = default;
Index::~Index() = default;

std::vector<Image> Index::images() const {
  std::vector<Image> images;
  images.reserve(document_->entries.all().size());
  for (const IndexEntry& entry : document_->entries.all()) {
    if (auto image = as_image(entry)) images.push_back(*std::move(image));
  }
  return images;
}

std::size_t Index::unlisted() const { return document_->entries.all().size() - images().size(); }

void Index::add(const Image& image, const std::string& now) {
  if (image.name) {
    document_->add_named(image, now);
  } else {
    document_->add_untagged(image);
  }
}

bool Index::remove_name(const std::string& name) {
  const auto holders = document_->entries.named(name);
  for (const auto holder : holders) document_->entries.erase(holder);
  document_->misleads |= !holders.empty();
  return !holders.empty();
}

bool Index::remove_untagged(const Digest& digest) {
  return document_->remove_untagged(digest, [](const IndexEntry& /*any*/) { return true; });
}

bool Index::remove_own_untagged(const Digest& digest) {
  return document_->remove_untagged(digest, [](const IndexEntry& entry) {
    return !entry.annotation(kImportedAnnotation).empty() ||
           !entry.annotation(kSupersededAnnotation).empty();
  });
}

bool Index::misleads() const { return document_->misleads; }

std::string Index::bytes() const {
  std::string manifests;
  for (const IndexEntry& entry : document_->entries.all()) {
    manifests += (manifests.empty() ? "" : ",") + boost::json::serialize(entry.value);
  }
  std::string text;
  for (const auto& [key, value] : document_->root) {
    const bool is_manifests = key == kManifests;
    text += (text.empty() ? "" : ",") + boost::json::serialize(boost::json::string(key)) + ":" +
            (is_manifests ? "[" + manifests + "]" : boost::json::serialize(value));
  }
  return "{" + text + "}";
}

}  // namespace imagefs::blobstore
