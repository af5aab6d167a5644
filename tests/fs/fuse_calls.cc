#include "tests/fs/fuse_calls.h"

#include <sys/stat.h>

#include <cstddef>

namespace imagefs::fs::test {
namespace {

Bytes text(std::string_view name) { return Bytes(name) + '\0'; }

Call list(std::uint32_t opcode, NodeId node, std::uint64_t offset, std::uint32_t size) {
  fuse_read_in in{};
  in.offset = offset;
  in.size = size;
  return {opcode, node, bytes_of(in)};
}

// Takes `size` bytes, and the padding after them, off what is left of an answer.
std::string_view take(std::string_view& rest, std::size_t size) {
  const std::size_t padded = FUSE_REC_ALIGN(size);
  if (rest.size() < padded) throw std::runtime_error("a listing ends within an entry");
  const std::string_view taken = rest.substr(0, size);
  rest.remove_prefix(padded);
  return taken;
}

DirectoryEntry take_entry(std::string_view& rest) {
  const auto entry = value_of<fuse_dirent>(rest);
  const std::string_view bytes = take(rest, offsetof(fuse_dirent, name) + entry.namelen);
  return {.name = std::string(bytes.substr(offsetof(fuse_dirent, name))),
          .node = entry.ino,
          .next = entry.off,
          .type = entry.type << 12};
}

}  // namespace

namespace call {

Call init(std::uint32_t flags) {
  fuse_init_in in{};
  in.major = FUSE_KERNEL_VERSION;
  in.minor = FUSE_KERNEL_MINOR_VERSION;
  in.max_readahead = 128 << 10;
  in.flags = flags;
  return {FUSE_INIT, 0, bytes_of(in)};
}

Call destroy() { return {FUSE_DESTROY}; }

Call interrupt(std::uint64_t unique) {
  return {FUSE_INTERRUPT, 0, bytes_of(fuse_interrupt_in{.unique = unique})};
}

Call lookup(NodeId parent, std::string_view name) { return {FUSE_LOOKUP, parent, text(name)}; }

Call forget(NodeId node, std::uint64_t times) {
  return {FUSE_FORGET, node, bytes_of(fuse_forget_in{.nlookup = times})};
}

Call batch_forget(const std::vector<std::pair<NodeId, std::uint64_t>>& nodes) {
  fuse_batch_forget_in in{};
  in.count = static_cast<std::uint32_t>(nodes.size());
  Bytes body = bytes_of(in);
  for (const auto& [node, times] : nodes) {
    body += bytes_of(fuse_forget_one{.nodeid = node, .nlookup = times});
  }
  return {FUSE_BATCH_FORGET, 0, body};
}

Call getattr(NodeId node) { return {FUSE_GETATTR, node, bytes_of(fuse_getattr_in{})}; }

Call readlink(NodeId node) { return {FUSE_READLINK, node}; }

Call statfs(NodeId node) { return {FUSE_STATFS, node}; }

Call getxattr(NodeId node, std::string_view name, std::uint32_t size) {
  fuse_getxattr_in in{};
  in.size = size;
  return {FUSE_GETXATTR, node, bytes_of(in) + text(name)};
}

Call listxattr(NodeId node, std::uint32_t size) {
  fuse_getxattr_in in{};
  in.size = size;
  return {FUSE_LISTXATTR, node, bytes_of(in)};
}

Call opendir(NodeId node) { return {FUSE_OPENDIR, node, bytes_of(fuse_open_in{})}; }

Call readdir(NodeId node, std::uint64_t offset, std::uint32_t size) {
  return list(FUSE_READDIR, node, offset, size);
}

Call readdirplus(NodeId node, std::uint64_t offset, std::uint32_t size) {
  return list(FUSE_READDIRPLUS, node, offset, size);
}

Call open(NodeId node, int flags) {
  fuse_open_in in{};
  in.flags = static_cast<std::uint32_t>(flags);
  return {FUSE_OPEN, node, bytes_of(in)};
}

Call create(NodeId parent, std::string_view name, int flags) {
  fuse_create_in in{};
  in.flags = static_cast<std::uint32_t>(flags);
  in.mode = S_IFREG | 0644;
  return {FUSE_CREATE, parent, bytes_of(in) + text(name)};
}

Call read(NodeId node, std::uint64_t handle, std::uint64_t offset, std::uint32_t size) {
  fuse_read_in in{};
  in.fh = handle;
  in.offset = offset;
  in.size = size;
  return {FUSE_READ, node, bytes_of(in)};
}

Call lseek(NodeId node, std::uint64_t handle, std::uint64_t offset, std::uint32_t whence) {
  fuse_lseek_in in{};
  in.fh = handle;
  in.offset = offset;
  in.whence = whence;
  return {FUSE_LSEEK, node, bytes_of(in)};
}

Call write(NodeId node, std::uint64_t handle, std::uint64_t offset, std::string_view bytes) {
  fuse_write_in in{};
  in.fh = handle;
  in.offset = offset;
  in.size = static_cast<std::uint32_t>(bytes.size());
  return {FUSE_WRITE, node, bytes_of(in) + Bytes(bytes)};
}

Call flush(NodeId node, std::uint64_t handle) {
  fuse_flush_in in{};
  in.fh = handle;
  return {FUSE_FLUSH, node, bytes_of(in)};
}

Call fsync(NodeId node, std::uint64_t handle) {
  fuse_fsync_in in{};
  in.fh = handle;
  return {FUSE_FSYNC, node, bytes_of(in)};
}

Call release(NodeId node, std::uint64_t handle) {
  fuse_release_in in{};
  in.fh = handle;
  return {FUSE_RELEASE, node, bytes_of(in)};
}

Call fallocate(NodeId node, std::uint64_t handle, std::uint64_t offset, std::uint64_t length,
               std::uint32_t mode) {
  fuse_fallocate_in in{};
  in.fh = handle;
  in.offset = offset;
  in.length = length;
  in.mode = mode;
  return {FUSE_FALLOCATE, node, bytes_of(in)};
}

Call change_mode(NodeId node, mode_t mode) {
  fuse_setattr_in in{};
  in.valid = FATTR_MODE;
  in.mode = mode;
  return {FUSE_SETATTR, node, bytes_of(in)};
}

Call truncate(NodeId node, std::uint64_t size) {
  fuse_setattr_in in{};
  in.valid = FATTR_SIZE;
  in.size = size;
  return {FUSE_SETATTR, node, bytes_of(in)};
}

Call setxattr(NodeId node, std::string_view name, std::string_view value) {
  fuse_setxattr_in in{};
  in.size = static_cast<std::uint32_t>(value.size());
  return {FUSE_SETXATTR, node,
          bytes_of(in).substr(0, FUSE_COMPAT_SETXATTR_IN_SIZE) + text(name) + Bytes(value)};
}

Call removexattr(NodeId node, std::string_view name) {
  return {FUSE_REMOVEXATTR, node, text(name)};
}

Call mknod(NodeId parent, std::string_view name) {
  fuse_mknod_in in{};
  in.mode = S_IFREG | 0644;
  return {FUSE_MKNOD, parent, bytes_of(in) + text(name)};
}

Call mkdir(NodeId parent, std::string_view name) {
  return {FUSE_MKDIR, parent, bytes_of(fuse_mkdir_in{.mode = 0755, .umask = 0}) + text(name)};
}

Call symlink(NodeId parent, std::string_view name, std::string_view target) {
  return {FUSE_SYMLINK, parent, text(name) + text(target)};
}

Call link(NodeId node, NodeId parent, std::string_view name) {
  return {FUSE_LINK, parent, bytes_of(fuse_link_in{.oldnodeid = node}) + text(name)};
}

Call unlink(NodeId parent, std::string_view name) { return {FUSE_UNLINK, parent, text(name)}; }

Call rmdir(NodeId parent, std::string_view name) { return {FUSE_RMDIR, parent, text(name)}; }

Call rename(NodeId parent, std::string_view name, NodeId new_parent, std::string_view new_name,
            std::uint32_t flags) {
  fuse_rename2_in in{};
  in.newdir = new_parent;
  in.flags = flags;
  return {FUSE_RENAME2, parent, bytes_of(in) + text(name) + text(new_name)};
}

}  // namespace call

std::vector<DirectoryEntry> names_in(std::string_view answer) {
  std::vector<DirectoryEntry> entries;
  while (!answer.empty()) entries.push_back(take_entry(answer));
  return entries;
}

std::vector<DirectoryEntry> nodes_in(std::string_view answer) {
  std::vector<DirectoryEntry> entries;
  while (!answer.empty()) {
    const auto node = value_of<fuse_entry_out>(answer);
    take(answer, sizeof node);
    entries.push_back(take_entry(answer));
    entries.back().node = node.nodeid;
  }
  return entries;
}

}  // namespace imagefs::fs::test
