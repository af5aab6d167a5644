#include "fs/rootfs_nodes.h"

#include <algorithm>

#include "fs/attributes.h"
#include "fs/rootfs_content.h"

namespace imagefs::fs {
namespace {

using importer::EntryKind;
using importer::IndexRecord;
using importer::LayerIndex;

constexpr off_t kDirectorySize = 4096;  // what ext4 shows, and needs, for a small one
constexpr blkcnt_t kDirectoryBlocks = 8;
constexpr std::uint64_t kStatBlock = 512;
constexpr mode_t kImpliedMode = 0755;  // of a directory that no layer has an entry for

mode_t type_of(EntryKind kind) {
  switch (kind) {
    case EntryKind::symlink:
      return S_IFLNK;
    case EntryKind::character_device:
      return S_IFCHR;
    case EntryKind::block_device:
      return S_IFBLK;
    case EntryKind::fifo:
      return S_IFIFO;
    case EntryKind::directory:
    case EntryKind::implied_directory:
      return S_IFDIR;
    default:
      return S_IFREG;
  }
}

void set_owner_and_times(struct stat& st, const IndexRecord& record) {
  st.st_mode |= record.mode;
  st.st_uid = record.uid;
  st.st_gid = record.gid;
  st.st_mtim = {.tv_sec = record.mtime, .tv_nsec = std::int64_t{record.nanoseconds}};
  st.st_atim = st.st_mtim;
  st.st_ctim = st.st_mtim;
}

struct stat plain_directory(NodeId id, nlink_t links) {
  struct stat st{};
  st.st_ino = id;
  st.st_mode = S_IFDIR;
  st.st_nlink = links;
  st.st_size = kDirectorySize;
  st.st_blocks = kDirectoryBlocks;
  st.st_blksize = kBlockSize;
  return st;
}

struct stat directory_of(NodeId id, nlink_t links, const IndexRecord& record) {
  struct stat st = plain_directory(id, links);
  set_owner_and_times(st, record);
  return st;
}

struct stat implied_directory(NodeId id, nlink_t links) {
  struct stat st = plain_directory(id, links);
  st.st_mode |= kImpliedMode;
  return st;
}

std::vector<std::string> names_of_xattrs(const LayerIndex& index, const IndexRecord& record) {
  std::vector<std::string> names;
  for (auto& [name, value] : index.xattrs(record)) names.push_back(std::move(name));
  return names;
}

std::optional<std::string> find_xattr(const LayerIndex& index, const IndexRecord& record,
                                      std::string_view wanted) {
  for (auto& [name, value] : index.xattrs(record)) {
    if (name == wanted) return std::move(value);
  }
  return std::nullopt;
}

}  // namespace

RootfsDirectory::RootfsDirectory(RootfsPtr rootfs, Overlay::Directory directory)
    : rootfs_(std::move(rootfs)),
      directory_(std::move(directory)),
      id_(rootfs_->directory_id(directory_.key)) {}

struct stat RootfsDirectory::attributes() const {
  if (!directory_.attributes) return implied_directory(id_, count_links());
  return directory_of(id_, count_links(), rootfs_->overlay().record(*directory_.attributes));
}

std::optional<NodeRecipe> RootfsDirectory::recipe() const {
  const auto sole = rootfs_->overlay().sole_entry(directory_);
  return sole ? std::optional(rootfs_->recipe(*sole)) : std::nullopt;
}

nlink_t RootfsDirectory::count_links() const {
  nlink_t count = 2;
  rootfs_->overlay().list(directory_, 0, [&](const Overlay::Listed& listed) {
    if (!listed.entry) ++count;
    return true;
  });
  return count;
}

NodePtr RootfsDirectory::lookup(std::string_view name) const {
  const auto found = rootfs_->overlay().lookup(directory_, name);
  return found ? rootfs_->node(*found) : nullptr;
}

void RootfsDirectory::list(std::uint64_t offset,
                           const std::function<bool(const ListedName&)>& visit) const {
  const Overlay& overlay = rootfs_->overlay();
  overlay.list(directory_, offset, [&](const Overlay::Listed& listed) {
    if (listed.entry) {
      return visit({listed.name, rootfs_->inode_id(*listed.entry),
                    type_of(overlay.record(*listed.entry).kind), listed.next});
    }
    const auto key = importer::child_key(directory_.key, listed.name);
    return visit({listed.name, rootfs_->directory_id(key), S_IFDIR, listed.next});
  });
}

std::vector<std::string> RootfsDirectory::xattr_names() const {
  if (!directory_.attributes) return {};
  const Overlay& overlay = rootfs_->overlay();
  const Overlay::Entry entry = *directory_.attributes;
  return names_of_xattrs(overlay.index(entry), overlay.record(entry));
}

std::optional<std::string> RootfsDirectory::xattr(std::string_view name) const {
  if (!directory_.attributes) return std::nullopt;
  const Overlay& overlay = rootfs_->overlay();
  const Overlay::Entry entry = *directory_.attributes;
  return find_xattr(overlay.index(entry), overlay.record(entry), name);
}

const IndexRecord& RootfsInode::record() const { return rootfs_->overlay().record(inode_); }

struct stat RootfsInode::attributes() const {
  struct stat st{};
  st.st_ino = id_;
  st.st_mode = type_of(record().kind);
  st.st_nlink = rootfs_->link_count(inode_);
  st.st_blksize = kBlockSize;
  set_owner_and_times(st, record());
  if (S_ISREG(st.st_mode) || S_ISLNK(st.st_mode)) st.st_size = static_cast<off_t>(record().size);
  if (S_ISREG(st.st_mode)) st.st_blocks = static_cast<blkcnt_t>(blocks());
  if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode)) st.st_rdev = record().data;
  return st;
}

// Of the data that there is: a sparse file has fewer than its size would need.
std::uint64_t RootfsInode::blocks() const {
  const auto map = rootfs_->overlay().index(inode_).sparse_map(record());
  const std::uint64_t bytes = map ? importer::data_bytes(*map) : record().size;
  return (bytes + kStatBlock - 1) / kStatBlock;
}

std::string RootfsInode::target() const {
  if (record().kind != EntryKind::symlink) return Node::target();
  return std::string(rootfs_->overlay().index(inode_).target(record()));
}

ContentPtr RootfsInode::open() const {
  if (record().kind != EntryKind::file) return Node::open();
  return std::make_shared<const RootfsContent>(
      rootfs_->bytes(inode_.layer), record().data, record().size,
      rootfs_->overlay().index(inode_).sparse_map(record()));
}

std::vector<std::string> RootfsInode::xattr_names() const {
  return names_of_xattrs(rootfs_->overlay().index(inode_), record());
}

std::optional<std::string> RootfsInode::xattr(std::string_view name) const {
  return find_xattr(rootfs_->overlay().index(inode_), record(), name);
}

}  // namespace imagefs::fs
