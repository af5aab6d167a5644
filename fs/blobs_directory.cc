#include "fs/blobs_directory.h"

#include <algorithm>

#include "fs/attributes.h"
#include "fs/blob_node.h"

namespace imagefs::fs {
namespace {

using blobstore::Digest;

constexpr std::string_view kPath = "blobs/sha256";

// The first bits of the digest: ascending in a sorted list, and the same in every listing.
std::uint64_t cookie(const Digest& digest) {
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < sizeof bits; ++i) bits = bits << 8 | digest.bytes()[i];
  return (bits >> 2) + 1;
}

timespec modified(const blobstore::Store& store) {
  const auto st = stat_blobs_directory(store);
  return st ? st->st_mtim : timespec{};
}

}  // namespace

BlobsDirectory::BlobsDirectory(TreeContextPtr context)
    : context_(std::move(context)), id_(make_node_id({kPath})) {}

struct stat BlobsDirectory::attributes() const {
  return directory_attributes(id_, context_->owner, 0, modified(*context_->store));
}

NodePtr BlobsDirectory::lookup(std::string_view name) const {
  const auto digest = Digest::from_hex(name);
  if (!digest) return nullptr;
  return BlobNode::make(make_node_id({kPath, name}), context_->store, context_->owner,
                        {.digest = *digest});
}

void BlobsDirectory::list(std::uint64_t offset,
                          const std::function<bool(const ListedName&)>& visit) const {
  const Digests all = digests(offset == 0);
  for (auto at = std::ranges::upper_bound(*all, offset, {}, cookie); at != all->end(); ++at) {
    const std::string name = at->hex();
    if (!visit({name, make_node_id({kPath, name}), S_IFREG, cookie(*at)})) return;
  }
}

BlobsDirectory::Digests BlobsDirectory::digests(bool fresh) const {
  const timespec mtime = modified(*context_->store);
  if (!fresh) {
    const std::lock_guard lock(mutex_);
    if (last_ && last_mtime_.tv_sec == mtime.tv_sec && last_mtime_.tv_nsec == mtime.tv_nsec) {
      return last_;
    }
  }
  auto read = std::make_shared<const std::vector<Digest>>(context_->store->blobs());
  const std::lock_guard lock(mutex_);
  last_ = read;
  last_mtime_ = mtime;
  return read;
}

}  // namespace imagefs::fs
