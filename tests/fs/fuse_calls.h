// Requests of the FUSE protocol as the kernel writes them (linux/fuse.h), and what the longer
// answers hold.
#pragma once

#include <linux/fuse.h>
#include <sys/types.h>

#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fs/node.h"

namespace imagefs::fs::test {

using Bytes = std::string;

template <typename T>
Bytes bytes_of(const T& value) {
  Bytes bytes(sizeof value, '\0');
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}

// The structure at the beginning of `bytes`. Throws std::runtime_error when they are too few.
template <typename T>
T value_of(std::string_view bytes) {
  if (bytes.size() < sizeof(T)) throw std::runtime_error("an answer is too short");
  T value;
  bytes.copy(reinterpret_cast<char*>(&value), sizeof value);
  return value;
}

struct Call {
  std::uint32_t opcode;
  NodeId node = 0;
  Bytes body = {};
};

namespace call {

// `flags`: what the kernel offers.
[[nodiscard]] Call init(std::uint32_t flags);
[[nodiscard]] Call destroy();
[[nodiscard]] Call interrupt(std::uint64_t unique);

[[nodiscard]] Call lookup(NodeId parent, std::string_view name);
[[nodiscard]] Call forget(NodeId node, std::uint64_t times);
[[nodiscard]] Call batch_forget(const std::vector<std::pair<NodeId, std::uint64_t>>& nodes);
[[nodiscard]] Call getattr(NodeId node);
[[nodiscard]] Call readlink(NodeId node);
[[nodiscard]] Call statfs(NodeId node);
[[nodiscard]] Call getxattr(NodeId node, std::string_view name, std::uint32_t size);
[[nodiscard]] Call listxattr(NodeId node, std::uint32_t size);
[[nodiscard]] Call opendir(NodeId node);
[[nodiscard]] Call readdir(NodeId node, std::uint64_t offset, std::uint32_t size);
[[nodiscard]] Call readdirplus(NodeId node, std::uint64_t offset, std::uint32_t size);

// `flags`: of open(2).
[[nodiscard]] Call open(NodeId node, int flags);
[[nodiscard]] Call create(NodeId parent, std::string_view name, int flags);
[[nodiscard]] Call read(NodeId node, std::uint64_t handle, std::uint64_t offset,
                        std::uint32_t size);
// `whence`: SEEK_DATA or SEEK_HOLE.
[[nodiscard]] Call lseek(NodeId node, std::uint64_t handle, std::uint64_t offset,
                         std::uint32_t whence);
[[nodiscard]] Call write(NodeId node, std::uint64_t handle, std::uint64_t offset,
                         std::string_view bytes);
[[nodiscard]] Call flush(NodeId node, std::uint64_t handle);
[[nodiscard]] Call fsync(NodeId node, std::uint64_t handle);
[[nodiscard]] Call release(NodeId node, std::uint64_t handle);
[[nodiscard]] Call fallocate(NodeId node, std::uint64_t handle, std::uint64_t offset,
                             std::uint64_t length, std::uint32_t mode);

[[nodiscard]] Call change_mode(NodeId node, mode_t mode);
[[nodiscard]] Call truncate(NodeId node, std::uint64_t size);
[[nodiscard]] Call setxattr(NodeId node, std::string_view name, std::string_view value);
[[nodiscard]] Call removexattr(NodeId node, std::string_view name);
[[nodiscard]] Call mknod(NodeId parent, std::string_view name);
[[nodiscard]] Call mkdir(NodeId parent, std::string_view name);
[[nodiscard]] Call symlink(NodeId parent, std::string_view name, std::string_view target);
[[nodiscard]] Call link(NodeId node, NodeId parent, std::string_view name);
[[nodiscard]] Call unlink(NodeId parent, std::string_view name);
[[nodiscard]] Call rmdir(NodeId parent, std::string_view name);
[[nodiscard]] Call rename(NodeId parent, std::string_view name, NodeId new_parent,
                          std::string_view new_name, std::uint32_t flags = 0);

}  // namespace call

struct DirectoryEntry {
  std::string name;
  NodeId node;  // READDIRPLUS: 0 when the kernel is not told of it
  std::uint64_t next;
  mode_t type;  // S_IFDIR …
};
// The answer to a READDIR or READDIRPLUS. Throws std::runtime_error when it is cut or crooked.
[[nodiscard]] std::vector<DirectoryEntry> names_in(std::string_view answer);
[[nodiscard]] std::vector<DirectoryEntry> nodes_in(std::string_view answer);

}  // namespace imagefs::fs::test
