#include "blobstore/foreign_documents.h"

#include <optional>
#include <string>
#include <string_view>

#include "blobstore/blob_files.h"
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

bool may_be_document(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kSpace);
  return first != text.npos && (text[first] == '{' || text[first] == '[');
}

std::vector<Digest> named_by(const Directory& directory, const Digest& digest) {
  const auto size = blob_size(directory, digest);
  if (!size || *size > kMaxDocument) return {};
  const auto bytes = read_blob(directory, digest, kMaxDocument);
  if (!bytes || !may_be_document(*bytes)) return {};
  return digests_in(*bytes);
}

}  // namespace

void keep_what_foreign_documents_name(const Directory& directory, std::vector<Digest> documents,
                                      std::unordered_set<Digest>& kept) {
  std::unordered_set<Digest> seen(documents.begin(), documents.end());
  while (!documents.empty()) {
    const Digest document = documents.back();
    documents.pop_back();
    for (const Digest& digest : named_by(directory, document)) {
      // Only what is there can be lost, and the store's blobs bound the memory.
      if (!blob_size(directory, digest) || !seen.insert(digest).second) continue;
      kept.insert(digest);
      documents.push_back(digest);
    }
  }
}

}  // namespace imagefs::blobstore
