#include "importer/oci_archive.h"

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
#include "importer/image_names.h"

namespace imagefs::importer {
namespace {

using blobstore::Descriptor;
using blobstore::Digest;
using blobstore::ImageIndex;
using blobstore::Manifest;

constexpr std::string_view kLayoutVersion = "1.0.0";

void check_layout(const std::string& text) {
  const boost::json::value value = blobstore::json::parse(text, "oci-layout");
  const auto version = blobstore::json::find_string(blobstore::json::as_object(value, "oci-layout"),
                                                    "imageLayoutVersion", "oci-layout");
  if (version == kLayoutVersion) return;
  throw Error(EINVAL,
              "oci-layout: the imageLayoutVersion is \"" + version.value_or("") + "\", not 1.0.0");
}

// How much of an image is there.
enum class Presence {
  absent,  // its document, or all that it refers to, is not there
  part,
  whole
};

class OciReader {
 public:
  OciReader(Archive& archive, const Limits& limits, const std::string& file_name, bool lenient)
      : archive_(archive), limits_(limits), file_name_(file_name), lenient_(lenient) {}

  Reading run() {
    const Content* const layout = archive_.find_control_file("oci-layout");
    const Content* const index = archive_.find_control_file("index.json");
    if (layout && index) {
      check_layout(layout->text(limits_.max_json, "oci-layout"));
      read_index(index->text(limits_.max_json, "index.json"));
    } else {
      miss("the archive has no " + std::string(layout ? "index.json" : "oci-layout"), EINVAL);
    }
    return std::move(reading_);
  }

 private:
  void read_index(const std::string& text) {
    const auto document = blobstore::parse_document(text, "", "index.json");
    const auto* const index = std::get_if<ImageIndex>(&document);
    if (!index) throw Error(EINVAL, "index.json: has no \"manifests\"");
    for (const Descriptor& descriptor : index->manifests) read_image(descriptor);
    if (reading_.images.empty()) miss("index.json lists no images", EINVAL);
  }

  void read_image(const Descriptor& descriptor) {
    if (!blobstore::is_document(descriptor.media_type)) {
      reading_.notes.push_back("index.json lists " + descriptor.digest.str() + " as \"" +
                               descriptor.media_type + "\", which is no image: left out");
      return;
    }
    if (visit(descriptor, 0) != Presence::whole) {
      miss("the image " + descriptor.digest.str() +
           " is not whole: none of its platforms is there");
    }
    auto name = name_of(descriptor, file_name_);
    reading_.images.push_back({.names = {}, .descriptor = descriptor});
    if (name) reading_.images.back().names.push_back(*std::move(name));
  }

  Presence visit(const Descriptor& descriptor, std::size_t depth) {
    if (depth > limits_.max_depth) {
      throw Error(EFBIG,
                  "an index lies more than " + std::to_string(limits_.max_depth) + " indexes deep");
    }
    const auto known = visited_.find(descriptor.digest);
    if (known == visited_.end() && visited_.size() >= limits_.max_manifests) {
      throw Error(EFBIG, "the archive's index.json leads to more than " +
                             std::to_string(limits_.max_manifests) + " manifests");
    }
    Content* const content = find(descriptor);
    if (known != visited_.end()) return known->second;
    if (!content) {
      visited_.emplace(descriptor.digest, Presence::absent);
      return Presence::absent;
    }
    const std::string what = "the manifest " + descriptor.digest.str();
    const auto document = blobstore::parse_document(content->text(limits_.max_json, what),
                                                    descriptor.media_type, what);
    reading_.blobs.push_back(content);
    const auto* const index = std::get_if<ImageIndex>(&document);
    const Presence presence =
        index ? visit_index(*index, depth) : visit_manifest(std::get<Manifest>(document), what);
    visited_.insert_or_assign(descriptor.digest, presence);
    return presence;
  }

  // One platform is enough; attestations and signatures beside it are no platforms.
  Presence visit_index(const ImageIndex& index, std::size_t depth) {
    Presence best = index.manifests.empty() ? Presence::whole : Presence::absent;
    for (const Descriptor& child : index.manifests) {
      Presence presence = Presence::absent;
      if (blobstore::is_document(child.media_type)) {
        presence = visit(child, depth + 1);
      } else {
        take(child);
      }
      best = std::max(best, presence);
    }
    return best;
  }

  Presence visit_manifest(const Manifest& manifest, const std::string& what) {
    if (manifest.layers.size() > limits_.max_layers) {
      throw Error(EFBIG, what + " has " + std::to_string(manifest.layers.size()) +
                             " layers, the limit is " + std::to_string(limits_.max_layers));
    }
    Content* const config = take(manifest.config);
    std::size_t found = config ? 1 : 0;
    std::string absent = config ? "" : manifest.config.digest.str();
    std::vector<Content*> layers;
    for (const Descriptor& layer : manifest.layers) {
      layers.push_back(take(layer));
      if (layers.back()) ++found;
      if (!layers.back() && layer.urls.empty() && absent.empty()) absent = layer.digest.str();
    }
    if (found == 0) return Presence::absent;
    if (!absent.empty()) {
      miss(what + " refers to " + absent + ", which is not in the archive");
      return Presence::part;
    }
    return check(manifest, *config, layers, what) ? Presence::whole : Presence::part;
  }

  bool check(const Manifest& manifest, const Content& config, const std::vector<Content*>& layers,
             const std::string& what) {
    if (!manifest.is_image()) return true;
    const std::string name = "the config of " + what;
    const auto parsed = blobstore::parse_config(config.text(limits_.max_config, name), name);
    if (lenient_ && parsed.diff_ids.size() != layers.size()) {
      miss(what + " lists another number of layers than its config", EBADMSG);
      return false;
    }
    std::vector<std::string> names;
    for (const Descriptor& layer : manifest.layers) names.push_back(layer.digest.str());
    check_diff_ids(parsed.diff_ids, layers, names, limits_, name);
    return true;
  }

  Content* take(const Descriptor& descriptor) {
    Content* const content = find(descriptor);
    if (content && taken_.insert(content).second) reading_.blobs.push_back(content);
    return content;
  }

  Content* find(const Descriptor& descriptor) {
    Content* const content = archive_.find_blob(descriptor.digest);
    if (content && content->size() != descriptor.size) {
      throw Error(EBADMSG, "the blob " + descriptor.digest.str() + " has " +
                               std::to_string(content->size()) + " bytes, its descriptor says " +
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
  const bool lenient_;
  std::map<Digest, Presence> visited_;
  std::set<Content*> taken_;
  Reading reading_;
};

}  // namespace

Reading read_oci_archive(Archive& archive, const Limits& limits, const std::string& file_name,
                         bool lenient) {
  return OciReader(archive, limits, file_name, lenient).run();
}

}  // namespace imagefs::importer
