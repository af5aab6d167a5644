#include "blobstore/index.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <cerrno>
#include <utility>

#include "blobstore/descriptor_json.h"
#include "blobstore/documents.h"
#include "blobstore/error.h"
#include "blobstore/json.h"
#include "blobstore/reference.h"

namespace imagefs::blobstore {
namespace {

constexpr const char* kWhat = "index.json";
constexpr std::uint64_t kSchemaVersion = 2;

// An entry's member or annotation of that name, when it is a string; else nothing.
std::string_view text_of(const boost::json::value* object, std::string_view key) {
  if (!object || !object->is_object()) return {};
  const boost::json::value* value = object->get_object().if_contains(key);
  if (!value || !value->is_string()) return {};
  return value->get_string();
}

const boost::json::value* annotations_of(const boost::json::value& entry) {
  return entry.is_object() ? entry.get_object().if_contains("annotations") : nullptr;
}

std::string_view annotation_of(const boost::json::value& entry, std::string_view key) {
  return text_of(annotations_of(entry), key);
}

std::optional<std::string> as_name(std::string_view text) {
  if (text.empty()) return std::nullopt;
  const auto reference = Reference::try_parse(text);
  if (!reference) return std::nullopt;
  return reference->str();
}

// A bare tag in org.opencontainers.image.ref.name names nothing.
std::optional<std::string> name_of(const boost::json::value& entry) {
  if (auto name = as_name(annotation_of(entry, kNameAnnotation))) return name;
  const std::string_view ref_name = annotation_of(entry, kRefNameAnnotation);
  return is_tag(ref_name) ? std::nullopt : as_name(ref_name);
}

bool has_digest(const boost::json::value& entry, const std::string& digest) {
  return text_of(&entry, "digest") == digest;
}

boost::json::object& writable_annotations(boost::json::value& entry) {
  boost::json::value& annotations = entry.as_object()["annotations"];
  return annotations.is_object() ? annotations.get_object() : annotations.emplace_object();
}

void take_name(boost::json::value& entry, const std::string& now) {
  boost::json::object& annotations = writable_annotations(entry);
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

std::optional<Image> as_image(const boost::json::value& entry) {
  try {
    return Image{.descriptor = parse_descriptor(entry, kWhat),
                 .name = name_of(entry),
                 .imported = std::string(annotation_of(entry, kImportedAnnotation)),
                 .superseded = std::string(annotation_of(entry, kSupersededAnnotation))};
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
  boost::json::object root;
  bool misleads = false;

  [[nodiscard]] boost::json::array& entries() { return root.at("manifests").as_array(); }

  template <typename Predicate>
  bool erase_if(const Predicate& predicate) {
    boost::json::array& all = entries();
    const auto gone = std::remove_if(all.begin(), all.end(), predicate);
    const bool any = gone != all.end();
    all.erase(gone, all.end());
    return any;
  }
  template <typename Predicate>
  bool contains(const Predicate& predicate) {
    return std::any_of(entries().begin(), entries().end(), predicate);
  }
  void add_named(const Image& image, const std::string& now);
  void add_untagged(const Image& image);
};

void Index::Document::add_named(const Image& image, const std::string& now) {
  const std::string digest = image.descriptor.digest.str();
  const auto is_holder = [&](const boost::json::value& entry) {
    return name_of(entry) == image.name;
  };
  std::vector<const boost::json::value*> redundant;
  const auto has_other_entry = [&](const boost::json::value& holder) {
    const std::string held(text_of(&holder, "digest"));
    return contains([&](const boost::json::value& entry) {
      return &entry != &holder && has_digest(entry, held) &&
             std::find(redundant.begin(), redundant.end(), &entry) == redundant.end();
    });
  };
  boost::json::value* same = nullptr;
  for (boost::json::value& entry : entries()) {
    if (!is_holder(entry)) continue;
    if (has_digest(entry, digest) && !same) {
      same = &entry;
    } else if (has_digest(entry, digest) || has_other_entry(entry)) {
      redundant.push_back(&entry);
    } else {
      take_name(entry, now);
      misleads = true;
    }
  }
  misleads |= !redundant.empty();
  if (same) {
    misleads |= is_index(image.descriptor.media_type);
    writable_annotations(*same)[kImportedAnnotation] = image.imported;
  }
  const bool stands = same != nullptr;
  erase_if([&](const boost::json::value& entry) {
    return std::find(redundant.begin(), redundant.end(), &entry) != redundant.end();
  });
  // What an earlier import of this manifest left without a name has one again.
  erase_if([&](const boost::json::value& entry) {
    return has_digest(entry, digest) && !name_of(entry) &&
           !annotation_of(entry, kImportedAnnotation).empty();
  });
  if (!stands) entries().push_back(to_json(as_written(image)));
}

void Index::Document::add_untagged(const Image& image) {
  const std::string digest = image.descriptor.digest.str();
  bool stands = false;
  for (boost::json::value& entry : entries()) {
    if (!has_digest(entry, digest)) continue;
    stands = true;
    if (!annotation_of(entry, kSupersededAnnotation).empty()) {
      writable_annotations(entry).stable_erase(kSupersededAnnotation);
      writable_annotations(entry)[kImportedAnnotation] = image.imported;
    }
  }
  misleads |= stands && is_index(image.descriptor.media_type);
  if (!stands) entries().push_back(to_json(as_written(image)));
}

Index::Index() : document_(std::make_unique<Document>()) {
  document_->root = {{"schemaVersion", kSchemaVersion},
                     {"mediaType", media_type::kOciIndex},
                     {"manifests", boost::json::array()}};
}

Index::Index(std::string_view bytes) : document_(std::make_unique<Document>()) {
  try {
    boost::json::value value = json::parse(bytes, kWhat);
    check(json::as_object(value, kWhat));
    document_->root = std::move(value.get_object());
  } catch (const Error& error) {
    throw Error(EBADMSG, error.sentence());
  }
  boost::json::value& entries = document_->root.at("manifests");
  if (entries.is_null()) entries.emplace_array();
}

Index::Index(Index&&) noexcept = default;
Index& Index::operator=(Index&&) noexcept = default;
Index::~Index() = default;

std::vector<Image> Index::images() const {
  std::vector<Image> images;
  images.reserve(document_->entries().size());
  for (const boost::json::value& entry : document_->entries()) {
    if (auto image = as_image(entry)) images.push_back(*std::move(image));
  }
  return images;
}

std::size_t Index::unlisted() const { return document_->entries().size() - images().size(); }

void Index::add(const Image& image, const std::string& now) {
  if (image.name) {
    document_->add_named(image, now);
  } else {
    document_->add_untagged(image);
  }
}

bool Index::remove_name(const std::string& name) {
  const bool removed =
      document_->erase_if([&](const boost::json::value& entry) { return name_of(entry) == name; });
  document_->misleads |= removed;
  return removed;
}

bool Index::remove_untagged(const Digest& digest) {
  return document_->erase_if([text = digest.str()](const boost::json::value& entry) {
    return has_digest(entry, text) && !name_of(entry);
  });
}

bool Index::remove_own_untagged(const Digest& digest) {
  return document_->erase_if([text = digest.str()](const boost::json::value& entry) {
    const bool is_ours = !annotation_of(entry, kImportedAnnotation).empty() ||
                         !annotation_of(entry, kSupersededAnnotation).empty();
    return has_digest(entry, text) && !name_of(entry) && is_ours;
  });
}

bool Index::misleads() const { return document_->misleads; }

std::string Index::bytes() const { return boost::json::serialize(document_->root); }

}  // namespace imagefs::blobstore
