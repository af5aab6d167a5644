#include "importer/oci_archive.h"

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cerrno>
#include <map>
#include <set>
#include <utility>

#include "blobstore/documents.h"
#include "blobstore/error.h"
#include "blobstore/json.h"
#include "importer/diff_ids.h"
#include "importer/document_turn.h"
#include "importer/image_names.h"

namespace imagefs::importer {
namespace {

using blobstore::Descriptor;
using blobstore::Digest;
using blobstore::ImageIndex;
using blobstore::Manifest;

constexpr std::string_view kLayoutVersion = "1.0.0";
constexpr std::uint64_t kMaxLayoutFile = 1 << 20;  // bytes
// Bytes of a descriptor's annotations, URLs and unknown members, which go into the store's index.
constexpr std::size_t kMaxMembers = 64 << 10;

void check_layout(const std::string& text) {
  const boost::json::value value = blobstore::json::parse(text, "oci-layout");
  const auto version = blobstore::json::find_string(blobstore::json::as_object(value, "oci-layout"),
                                                    "imageLayoutVersion", "oci-layout");
  if (version == kLayoutVersion) return;
  throw Error(EINVAL,
              "oci-layout: the imageLayoutVersion is \"" + version.value_or("") + "\", not 1.0.0");
}

std::size_t size_of_members(const Descriptor& descriptor) {
  std::size_t size = 0;
  for (const auto* members : {&descriptor.annotations, &descriptor.others}) {
    for (const auto& [key, value] : *members) size += key.size() + value.size();
  }
  for (const std::string& url : descriptor.urls) size += url.size();
  return size;
}

// How much of what a document leads to is there. The document itself is kept unless it is absent.
enum class Presence {
  absent,  // it, or something that it refers to, is not there
  whole,   // but it is no platform of an image: an attestation
  platform
};

struct Visited {
  std::string media_type;
  Presence presence;
};

// A manifest that refers to something absent.
struct Partial {
  std::vector<Content*> present;  // what else it refers to
  std::string sentence;
};

// What docker buildx marks the manifests with that are about another one in the same index.
constexpr auto kReferenceType = "vnd.docker.reference.type";

class OciReader {
 public:
  OciReader(Archive& archive, const Limits& limits, const std::string& file_name,
            OciSituation situation)
      : archive_(archive), limits_(limits), file_name_(file_name), situation_(situation) {}

  Reading run() {
    const Content* const layout = archive_.find_control_file("oci-layout");
    const Content* const index = archive_.find_control_file("index.json");
    if (layout && index) {
      check_layout(layout->text(kMaxLayoutFile, "oci-layout"));
      read_images(read_index(*index));
    } else {
      miss("the archive has no " + std::string(layout ? "index.json" : "oci-layout"), EINVAL);
    }
    return std::move(reading_);
  }

 private:
  ImageIndex read_index(const Content& content) {
    const DocumentTurn turn(content.size());
    return blobstore::parse_index(content.text(limits_.max_json, "index.json"), "index.json");
  }

  void read_images(const ImageIndex& index) {
    for (const Descriptor& descriptor : index.manifests) read_image(descriptor);
    // Nothing of a platform has come when all that has is also another's.
    for (const Partial& partial : partials_) {
      const auto is_kept = [&](Content* content) { return kept_.contains(content); };
      const bool is_absent = situation_.has_ended && std::ranges::all_of(partial.present, is_kept);
      if (!is_absent) miss(partial.sentence);
    }
    if (!reading_.images.empty()) return;
    if (index.manifests.empty()) return miss("index.json lists no images", EINVAL);
    miss("index.json lists no image, but for one " + named(index.manifests.front()), EOPNOTSUPP);
  }

  static std::string named(const Descriptor& descriptor) {
    return descriptor.digest.str() + " as \"" + descriptor.media_type + "\"";
  }

  void read_image(const Descriptor& descriptor) {
    if (!blobstore::is_document(descriptor.media_type)) {
      reading_.notes.push_back("index.json lists " + named(descriptor) +
                               ", which is no image: left out");
      return;
    }
    if (const std::size_t size = size_of_members(descriptor); size > kMaxMembers) {
      throw Error(EFBIG, "index.json: the descriptor of " + descriptor.digest.str() + " has " +
                             std::to_string(size) + " bytes of annotations and the like, the " +
                             "limit is " + std::to_string(kMaxMembers));
    }
    visits_ = 0;
    if (visit(descriptor, 0) != Presence::platform) {
      miss("the image " + descriptor.digest.str() +
           " is not whole: none of its platforms is there");
    }
    auto name = name_of(descriptor, file_name_);
    reading_.images.push_back({.names = {}, .descriptor = descriptor});
    if (name) reading_.images.back().names.push_back(*std::move(name));
  }

  Presence visit(const Descriptor& descriptor, std::size_t depth) {
    check_limits(depth);
    Content* const content = find(descriptor);
    if (const auto known = visited_.find(descriptor.digest); known != visited_.end()) {
      if (known->second.media_type == descriptor.media_type) return known->second.presence;
      throw Error(EINVAL, "the document " + named(descriptor) + " is called \"" +
                              known->second.media_type + "\" elsewhere");
    }
    Presence presence = Presence::absent;
    if (content) {
      presence = read_document(descriptor, *content, depth);
    } else if (depth == 0 || !situation_.has_ended) {
      miss("the archive's index refers to the manifest " + descriptor.digest.str() +
           ", which is not in the archive");
    }
    if (presence != Presence::absent) keep(*content);
    visited_.emplace(descriptor.digest, Visited{descriptor.media_type, presence});
    return presence;
  }

  void check_limits(std::size_t depth) {
    if (depth > limits_.max_depth) {
      throw Error(EFBIG,
                  "an index lies more than " + std::to_string(limits_.max_depth) + " indexes deep");
    }
    if (depth > 0 && ++visits_ > limits_.max_manifests) {
      throw Error(EFBIG, "an image of index.json leads to more than " +
                             std::to_string(limits_.max_manifests) + " manifests");
    }
  }

  Presence read_document(const Descriptor& descriptor, const Content& content, std::size_t depth) {
    const std::string what = "the manifest " + descriptor.digest.str();
    const blobstore::Document document = parse(descriptor, content, what);
    if (const auto* index = std::get_if<ImageIndex>(&document)) return read_children(*index, depth);
    return read_manifest(std::get<Manifest>(document), what, depth);
  }

  blobstore::Document parse(const Descriptor& descriptor, const Content& content,
                            const std::string& what) {
    const DocumentTurn turn(content.size());
    return blobstore::parse_document(content.text(limits_.max_json, what), descriptor.media_type,
                                     what);
  }

  // One platform is enough.
  Presence read_children(const ImageIndex& index, std::size_t depth) {
    Presence best = index.manifests.empty() ? Presence::platform : Presence::absent;
    std::vector<Content*> others;
    for (const Descriptor& child : index.manifests) {
      if (!blobstore::is_document(child.media_type)) {
        if (Content* const other = find(child)) others.push_back(other);
        continue;
      }
      const Presence presence = visit(child, depth + 1);
      const bool is_attestation = child.annotations.contains(kReferenceType);
      best = std::max(best, is_attestation ? std::min(presence, Presence::whole) : presence);
    }
    if (best != Presence::absent) {
      for (Content* const other : others) keep(*other);
    }
    return best;
  }

  Presence read_manifest(const Manifest& manifest, const std::string& what, std::size_t depth) {
    if (manifest.layers.size() > limits_.max_layers) {
      throw Error(EFBIG, what + " has " + std::to_string(manifest.layers.size()) +
                             " layers, the limit is " + std::to_string(limits_.max_layers));
    }
    Content* const config = find(manifest.config);
    std::string absent = config ? "" : manifest.config.digest.str();
    std::vector<Content*> layers;
    for (const Descriptor& layer : manifest.layers) {
      layers.push_back(find(layer));
      if (!layers.back() && !is_foreign(layer) && absent.empty()) absent = layer.digest.str();
    }
    std::vector<Content*> present = layers;
    present.push_back(config);
    std::erase(present, nullptr);
    if (!absent.empty()) {
      const std::string sentence = what + " refers to " + absent + ", which is not in the archive";
      if (depth == 0) miss(sentence);
      partials_.push_back({.present = std::move(present), .sentence = sentence});
      return Presence::absent;
    }
    if (!check(manifest, *config, layers, what)) return Presence::absent;
    for (Content* const content : present) keep(*content);
    return Presence::platform;
  }

  bool check(const Manifest& manifest, const Content& config, const std::vector<Content*>& layers,
             const std::string& what) {
    if (!manifest.is_image()) return true;
    const std::string name = "the config of " + what;
    const auto parsed = read_config(config, limits_, name);
    const bool lenient = situation_.has_manifest_json || !situation_.has_ended;
    if (lenient && parsed.diff_ids.size() != layers.size()) {
      miss(what + " lists another number of layers than its config", EBADMSG);
      return false;
    }
    std::vector<std::string> names;
    for (const Descriptor& layer : manifest.layers) names.push_back(layer.digest.str());
    check_diff_ids(parsed.diff_ids, layers, names, limits_, name);
    return true;
  }

  void keep(Content& content) {
    if (kept_.insert(&content).second) reading_.blobs.push_back(&content);
  }

  Content* find(const Descriptor& descriptor) {
    Content* const content = archive_.find_blob(descriptor.digest);
    if (content && content->size() != descriptor.size) {
      throw Error(EBADMSG, "the blob " + descriptor.digest.str() + " has the size " +
                               std::to_string(content->size()) + ", its descriptor says " +
                               std::to_string(descriptor.size));
    }
    return content;
  }

  void miss(const std::string& sentence, int errno_value = ENODATA) {
    if (!reading_.missing) reading_.missing.emplace(errno_value, sentence);
  }

  Archive& archive_;
  const Limits& limits_;
  const std::string& file_name_;
  const OciSituation situation_;
  std::size_t visits_ = 0;  // below one image
  std::map<Digest, Visited> visited_;
  std::vector<Partial> partials_;
  std::set<Content*> kept_;
  Reading reading_;
};

}  // namespace

Reading read_oci_archive(Archive& archive, const Limits& limits, const std::string& file_name,
                         OciSituation situation) {
  return OciReader(archive, limits, file_name, situation).run();
}

}  // namespace imagefs::importer
