#include "blobstore/retention.h"

#include <algorithm>
#include <array>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cerrno>
#include <iterator>
#include <optional>
#include <string>
#include <unordered_map>

#include "blobstore/blob_files.h"
#include "blobstore/documents.h"
#include "blobstore/error.h"
#include "blobstore/foreign_documents.h"
#include "blobstore/json.h"
#include "blobstore/marking.h"

namespace imagefs::blobstore {
namespace {

// Whether an error is of the image and not of the machine.
bool is_of_image(const Error& error) {
  constexpr std::array kOfImage{ENOENT, EIO, EINVAL, EFBIG};
  return std::ranges::find(kOfImage, error.errno_value()) != kOfImage.end();
}

Error naming(const Image& image, const Error& error) {
  const std::string digest = image.descriptor.digest.str();
  std::string sentence = image.name
                             ? "the image " + *image.name + " (" + digest + "): " + error.sentence()
                             : "the image " + digest + ", which has no name: " + error.sentence();
  if (is_of_image(error)) {
    sentence += ": import it again, or remove it with imagefs rm " + image.name.value_or(digest);
  }
  return Error(error.errno_value(), std::move(sentence));
}

// Runs `work` on the image; its errors name it.
void with(const Image& image, const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    throw naming(image, error);
  }
}

void require_manifest(const Directory& directory, const Descriptor& descriptor) {
  if (!is_document(descriptor.media_type) && is_foreign(descriptor)) return;
  if (!blob_size(directory, descriptor.digest)) throw Error(ENOENT, "its manifest is missing");
}

// Of a document of any type. What is no JSON, or larger than any document, has no subject.
std::optional<Digest> subject_of(const Directory& directory, const Digest& digest) {
  if (blob_size(directory, digest).value_or(0) > kMaxDocument) return std::nullopt;
  const auto bytes = read_blob(directory, digest, kMaxDocument);
  if (!bytes) return std::nullopt;
  try {
    const std::string what = digest.str();
    const boost::json::value document = json::parse(*bytes, what);
    const auto* const subject = json::find(json::as_object(document, what), "subject", what);
    if (!subject) return std::nullopt;
    const auto text = json::find_string(json::as_object(*subject, what), "digest", what);
    return text ? Digest::parse(*text) : std::nullopt;
  } catch (const Error&) {
    return std::nullopt;
  }
}

class Retention {
 public:
  explicit Retention(const Directory& directory)
      : directory_(directory), marker_(directory), foreign_documents_(directory, blobs_) {}

  void add_removable(const Image& image) {
    with(image, [&] {
      require_manifest(directory_, image.descriptor);
      const auto subject = subject_of(directory_, image.descriptor.digest);
      if (subject) referrers_.emplace(*subject, &image);
    });
  }

  void add_kept(const Image& image) { pending_.push_back(&image); }

  // Other tools' documents come when all that is known by its type has been seen.
  void run() {
    while (!pending_.empty() || !foreign_.empty()) {
      if (!pending_.empty()) {
        const Image& image = *pending_.back();
        pending_.pop_back();
        with(image, [&] { visit(image); });
      } else {
        const auto [manifest, image] = foreign_.back();
        foreign_.pop_back();
        with(*image, [&] { follow(manifest); });
      }
    }
  }

  [[nodiscard]] bool keeps(const Image& image) const { return kept_.contains(&image); }
  [[nodiscard]] std::unordered_set<Digest> take_blobs() { return std::move(blobs_); }

 private:
  void visit(const Image& image) {
    kept_.insert(&image);
    require_manifest(directory_, image.descriptor);
    const std::size_t found = marker_.found().size();
    const std::size_t foreign = marker_.foreign().size();
    marker_.visit_manifest(image.descriptor);
    for (std::size_t i = foreign; i < marker_.foreign().size(); ++i) {
      foreign_.emplace_back(marker_.foreign()[i], &image);
    }
    for (std::size_t i = found; i < marker_.found().size(); ++i) {
      const Digest& digest = marker_.found()[i].descriptor.digest;
      blobs_.insert(digest);
      keep_referrers(digest);
    }
  }

  void follow(const Digest& manifest) {
    for (const Digest& digest : foreign_documents_.keep_named_by(manifest)) keep_referrers(digest);
  }

  void keep_referrers(const Digest& subject) {
    const auto [first, last] = referrers_.equal_range(subject);
    for (auto it = first; it != last; ++it) pending_.push_back(it->second);
    referrers_.erase(first, last);
  }

  const Directory& directory_;
  Marker marker_;
  std::unordered_set<Digest> blobs_;
  ForeignDocuments foreign_documents_;
  std::unordered_multimap<Digest, const Image*> referrers_;  // that may go, by their subject
  std::vector<const Image*> pending_;                        // kept, and not visited
  std::vector<std::pair<Digest, const Image*>> foreign_;  // other tools' manifests of kept images
  std::unordered_set<const Image*> kept_;
};

}  // namespace

Retained retain(const Directory& directory, const Index& index,
                const std::function<bool(const Image&)>& may_go) {
  if (const std::size_t count = index.unlisted()) {
    throw Error(EBADMSG, "index.json: " + std::to_string(count) + " entries cannot be read");
  }
  const std::vector<Image> images = index.images();
  Retention retention(directory);
  for (const Image& image : images) {
    if (may_go(image)) {
      retention.add_removable(image);
    } else {
      retention.add_kept(image);
    }
  }
  retention.run();
  Retained retained{.blobs = retention.take_blobs(), .gone = {}};
  std::ranges::copy_if(images, std::back_inserter(retained.gone),
                       [&](const Image& image) { return !retention.keeps(image); });
  return retained;
}

}  // namespace imagefs::blobstore
