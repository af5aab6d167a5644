#include "fs/blob_node.h"

#include <fcntl.h>

#include <utility>

#include "fs/attributes.h"

namespace imagefs::fs {
namespace {

using blobstore::Digest;
using blobstore::Store;

constexpr std::string_view kDigestXattr = "user.imagefs.digest";
constexpr std::string_view kMediaTypeXattr = "user.imagefs.media_type";

UniqueFd open_blobs_directory(const Store& store) {
  constexpr int flags = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  const UniqueFd blobs(::openat(store.directory_fd(), "blobs", flags));
  return blobs ? UniqueFd(::openat(blobs.get(), "sha256", flags)) : UniqueFd();
}

}  // namespace

std::optional<struct stat> stat_blob(const Store& store, const Digest& digest) {
  const UniqueFd directory = open_blobs_directory(store);
  struct stat st = {};
  if (!directory ||
      ::fstatat(directory.get(), digest.hex().c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0 ||
      !S_ISREG(st.st_mode)) {
    return std::nullopt;
  }
  return st;
}

std::optional<struct stat> stat_blobs_directory(const Store& store) {
  const UniqueFd directory = open_blobs_directory(store);
  struct stat st = {};
  if (!directory || ::fstat(directory.get(), &st) != 0) return std::nullopt;
  return st;
}

NodePtr BlobNode::make(NodeId id, std::shared_ptr<const Store> store, const Owner& owner,
                       BlobFacts facts) {
  const auto st = stat_blob(*store, facts.digest);
  if (!st) return nullptr;
  const struct stat attributes =
      file_attributes(id, owner, static_cast<std::uint64_t>(st->st_size),
                      static_cast<std::uint64_t>(st->st_blocks), st->st_mtim);
  return std::make_shared<BlobNode>(std::move(store), std::move(facts), attributes);
}

BlobNode::BlobNode(std::shared_ptr<const Store> store, BlobFacts facts,
                   const struct stat& attributes)
    : store_(std::move(store)), facts_(std::move(facts)), attributes_(attributes) {}

ContentPtr BlobNode::open() const { return open_blob_content(*store_, facts_); }

std::vector<std::string> BlobNode::xattr_names() const {
  std::vector<std::string> names = {std::string(kDigestXattr)};
  if (!facts_.media_type.empty()) names.emplace_back(kMediaTypeXattr);
  return names;
}

std::optional<std::string> BlobNode::xattr(std::string_view name) const {
  if (name == kDigestXattr) return facts_.digest.str();
  if (name == kMediaTypeXattr && !facts_.media_type.empty()) return facts_.media_type;
  return std::nullopt;
}

}  // namespace imagefs::fs
