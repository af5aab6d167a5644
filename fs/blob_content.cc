#include "fs/blob_content.h"

#include <unistd.h>

#include <cerrno>
#include <utility>
#include <vector>

#include "blobstore/error.h"
#include "blobstore/files.h"

namespace imagefs::fs {
namespace {

using blobstore::Digest;
using blobstore::Store;

Digest digest_of(const Content& content) {
  blobstore::Sha256 hash;
  std::vector<std::byte> buffer(std::size_t{128} << 10);
  std::uint64_t offset = 0;
  while (const std::size_t count = content.read(buffer, offset)) {
    hash.update(std::span(buffer).first(count));
    offset += count;
  }
  return hash.finish();
}

void check(const BlobContent& content, const BlobFacts& facts) {
  const std::string damaged = "blob " + facts.digest.str() + " is damaged: ";
  const std::uint64_t size = content.size();
  if (size != facts.size.value_or(size)) {
    throw Error(EIO, damaged + "it has " + std::to_string(size) + " bytes, its descriptor says " +
                         std::to_string(*facts.size));
  }
  if (facts.is_small && digest_of(content) != facts.digest) {
    throw Error(EIO, damaged + "its bytes hash to something else");
  }
}

}  // namespace

BlobContent::BlobContent(UniqueFd fd, const Digest& digest)
    : fd_(std::move(fd)), status_(blobstore::status_of(fd_.get(), "blob " + digest.str())) {}

std::size_t BlobContent::read(std::span<std::byte> into, std::uint64_t offset) const {
  std::size_t done = 0;
  while (done < into.size()) {
    const ssize_t count = ::pread(fd_.get(), into.data() + done, into.size() - done,
                                  static_cast<off_t>(offset + done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw_errno("a blob cannot be read");
    if (count == 0) break;
    done += static_cast<std::size_t>(count);
  }
  return done;
}

std::uint64_t BlobContent::size() const { return static_cast<std::uint64_t>(status_.st_size); }

bool BlobContent::same_file(const BlobContent& other) const {
  return blobstore::same_file(status_, other.status_);
}

BlobContentPtr find_blob_content(const Store& store, const BlobFacts& facts) {
  auto fd = store.open_blob(facts.digest);
  if (!fd) return nullptr;
  auto content = std::make_shared<const BlobContent>(*std::move(fd), facts.digest);
  check(*content, facts);
  return content;
}

BlobContentPtr open_blob_content(const Store& store, const BlobFacts& facts) {
  BlobContentPtr content = find_blob_content(store, facts);
  if (!content) throw Error(ESTALE, "blob " + facts.digest.str() + " is no longer in the store");
  return content;
}

}  // namespace imagefs::fs
