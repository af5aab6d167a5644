#include "blobstore/foreign_documents.h"

#include <cerrno>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "blobstore/blob_files.h"
#include "blobstore/error.h"
#include "blobstore/files.h"
#include "blobstore/marking.h"

namespace imagefs::blobstore {
namespace {

constexpr std::string_view kAlgorithm = "sha256:";
constexpr std::string_view kSpace = " \t\r\n";

std::vector<Digest> digests_in(std::string_view text) {
  std::vector<Digest> digests;
  for (auto at = text.find(kAlgorithm); at != text.npos; at = text.find(kAlgorithm, at + 1)) {
    const std::string_view hex = text.substr(at + kAlgorithm.size(), 2 * Digest::kSize);
    if (const auto digest = Digest::from_hex(hex)) digests.push_back(*digest);
  }
  return digests;
}

bool begins_as_document(std::string_view text, std::string_view blank) {
  const std::size_t first = text.find_first_not_of(blank);
  return first != text.npos && (text[first] == '{' || text[first] == '[');
}

// Whether damaged bytes were none before either, as far as they still tell.
bool was_no_document(std::string_view text) {
  constexpr std::string_view blank(" \t\r\n\0", 5);  // zeros: what a crash leaves of a file
  const bool is_blank = text.find_first_not_of(blank) == text.npos;
  return !is_blank && !begins_as_document(text, blank) && digests_in(text).empty();
}

// The bytes as they are; nothing when it is absent or larger than any document.
std::optional<std::string> bytes_of(const Directory& directory, const Digest& digest) {
  const std::string what = "the blob " + digest.str();
  const auto fd = open_regular(directory.sha256.get(), digest.hex(), what);
  if (!fd) return std::nullopt;
  const struct stat status = status_of(fd->get(), what);
  if (static_cast<std::uint64_t>(status.st_size) > kMaxDocument) return std::nullopt;
  return read_all(fd->get(), kMaxDocument, what);
}

// What is known of a blob that a document names, besides its bytes.
enum class Role { manifest, judged, unknown };

struct Named {
  Digest digest;
  Role role;
};

void check_damaged(const Named& blob, std::string_view bytes) {
  if (blob.role == Role::judged) return;
  if (blob.role == Role::unknown && was_no_document(bytes)) return;
  throw Error(EIO,
              "the document " + blob.digest.str() + " is damaged: what it refers to is not known");
}

std::vector<Digest> named_by(const Directory& directory, const Named& blob) {
  const auto bytes = bytes_of(directory, blob.digest);
  if (!bytes) return {};
  if (sha256(*bytes) != blob.digest) {
    check_damaged(blob, *bytes);
    return {};
  }
  return begins_as_document(*bytes, kSpace) ? digests_in(*bytes) : std::vector<Digest>();
}

}  // namespace

std::vector<Digest> ForeignDocuments::keep_named_by(const Digest& manifest) {
  std::vector<Digest> added;
  if (!followed_.insert(manifest).second) return added;
  std::vector<Named> blobs{{manifest, Role::manifest}};
  while (!blobs.empty()) {
    const Named blob = blobs.back();
    blobs.pop_back();
    for (const Digest& digest : named_by(directory_, blob)) {
      // Only what is there can be lost, and the store's blobs bound the memory.
      if (!blob_size(directory_, digest) || !seen_.insert(digest).second) continue;
      const bool is_new = kept_.insert(digest).second;
      if (is_new) added.push_back(digest);
      blobs.push_back({digest, is_new ? Role::unknown : Role::judged});
    }
  }
  return added;
}

}  // namespace imagefs::blobstore
