#include "blobstore/completeness.h"

#include <sys/stat.h>

#include <cerrno>
#include <optional>
#include <set>
#include <utility>

#include "blobstore/blob_files.h"
#include "blobstore/documents.h"
#include "blobstore/error.h"
#include "blobstore/files.h"
#include "blobstore/index.h"
#include "blobstore/marking.h"

namespace imagefs::blobstore {
namespace {

constexpr int kMaxLooks = 100;

// Looks for blobs that images refer to and that are absent.
class Completeness {
 public:
  explicit Completeness(const Directory& directory) : directory_(directory) {}

  // `by`: what refers to it.
  void check(const Descriptor& descriptor, const std::string& by, int depth = 0) {
    if (!seen_.emplace(descriptor.digest, is_document(descriptor.media_type)).second) return;
    if (is_absent(descriptor)) {
      missing_.push_back({descriptor.digest, "is missing, but " + by + " refers to it"});
    } else if (is_document(descriptor.media_type)) {
      check_document(descriptor, depth);
    }
  }

  [[nodiscard]] std::vector<Store::Damage> take() { return std::move(missing_); }

 private:
  [[nodiscard]] bool is_absent(const Descriptor& descriptor) const {
    try {
      return !is_foreign(descriptor) && !blob_size(directory_, descriptor.digest);
    } catch (const Error&) {
      return false;  // there, and damaged
    }
  }

  void check_document(const Descriptor& descriptor, int depth) {
    const std::string what = "the document " + descriptor.digest.str();
    try {
      if (depth > kMaxDocumentDepth) throw Error(EFBIG, what + " is nested too deep");
      const auto bytes = read_blob(directory_, descriptor.digest, kMaxDocument);
      if (!bytes) return;
      const Document document = parse_document(*bytes, descriptor.media_type, what);
      if (const auto* manifest = std::get_if<Manifest>(&document)) {
        check(manifest->config, what, depth + 1);
        for (const Descriptor& layer : manifest->layers) check(layer, what, depth + 1);
      } else {
        check_children(std::get<ImageIndex>(document), what, depth);
      }
    } catch (const Error& error) {
      // EIO: the bytes are damaged, which rereading them has said.
      if (error.errno_value() != EIO) missing_.push_back({descriptor.digest, error.sentence()});
    }
  }

  // Platforms may be absent, as long as one is there.
  void check_children(const ImageIndex& index, const std::string& what, int depth) {
    std::vector<const Descriptor*> present;
    for (const Descriptor& child : index.manifests) {
      if (!is_absent(child)) present.push_back(&child);
    }
    for (const Descriptor* child : present) check(*child, what, depth + 1);
    if (!present.empty()) return;
    for (const Descriptor& child : index.manifests) check(child, what, depth + 1);
  }

  const Directory& directory_;
  std::set<std::pair<Digest, bool>> seen_;
  std::vector<Store::Damage> missing_;
};

std::vector<Store::Damage> look(const Directory& directory) {
  Completeness completeness(directory);
  const Index index = read_index(directory);
  for (const Image& image : index.images()) completeness.check(image.descriptor, "index.json");
  return completeness.take();
}

// Zeros when there is none.
struct stat status_of_index(const Directory& directory) {
  const struct stat none{};
  return find_status(directory.root.get(), "index.json", "index.json").value_or(none);
}

}  // namespace

std::vector<Store::Damage> find_missing(const Directory& directory) {
  auto missing = look(directory);
  if (missing.empty()) return missing;
  std::optional<StoreLock> lock;
  if (!directory.read_only) lock.emplace(directory.root.get());
  for (int looks = 0; looks < kMaxLooks; ++looks) {
    const struct stat before = status_of_index(directory);
    missing = look(directory);
    if (missing.empty() || same_file(before, status_of_index(directory))) return missing;
  }
  throw Error(EAGAIN, "the store changes faster than it can be verified");
}

}  // namespace imagefs::blobstore
