#include "fs/blob_node.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "blobstore/error.h"
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

class BlobContent final : public Content {
 public:
  BlobContent(UniqueFd fd, std::uint64_t size) : fd_(std::move(fd)), size_(size) {}

  std::size_t read(std::span<std::byte> into, std::uint64_t offset) const override {
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
  [[nodiscard]] std::uint64_t size() const override { return size_; }

 private:
  const UniqueFd fd_;
  const std::uint64_t size_;
};

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

std::uint64_t size_of(const UniqueFd& fd, const Digest& digest) {
  struct stat st = {};
  if (::fstat(fd.get(), &st) != 0) throw_errno("blob " + digest.str());
  return static_cast<std::uint64_t>(st.st_size);
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

ContentPtr open_blob_content(const Store& store, const Digest& digest) {
  auto fd = store.open_blob(digest);
  if (!fd) throw Error(ESTALE, "blob " + digest.str() + " is no longer in the store");
  const std::uint64_t size = size_of(*fd, digest);
  return std::make_shared<BlobContent>(std::move(*fd), size);
}

NodePtr BlobNode::make(NodeId id, std::shared_ptr<const Store> store, const Owner& owner,
                       Facts facts) {
  const auto st = stat_blob(*store, facts.digest);
  if (!st) return nullptr;
  const struct stat attributes =
      file_attributes(id, owner, static_cast<std::uint64_t>(st->st_size),
                      static_cast<std::uint64_t>(st->st_blocks), st->st_mtim);
  return std::make_shared<BlobNode>(std::move(store), std::move(facts), attributes);
}

BlobNode::BlobNode(std::shared_ptr<const Store> store, Facts facts, const struct stat& attributes)
    : store_(std::move(store)), facts_(std::move(facts)), attributes_(attributes) {}

ContentPtr BlobNode::open() const {
  const Digest& digest = facts_.digest;
  ContentPtr content = open_blob_content(*store_, digest);
  const std::uint64_t size = content->size();
  if (size != facts_.size.value_or(size)) {
    throw Error(EIO, "blob " + digest.str() + " is damaged: it has " + std::to_string(size) +
                         " bytes, its descriptor says " + std::to_string(*facts_.size));
  }
  if (facts_.is_small && digest_of(*content) != digest) {
    throw Error(EIO, "blob " + digest.str() + " is damaged: its bytes hash to something else");
  }
  return content;
}

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
