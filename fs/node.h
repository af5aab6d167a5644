// A node of the virtual tree: what a path of the mount is, without any word of FUSE.
//
// Nodes are immutable or consult an immutable snapshot; ids are numbers derived from path and
// content, so that the same path and content has the same id after a restart and a moved tag gets a
// new one.
//
// Thread safety: every member may be called from any thread, and takes no lock that another
// process's or thread's slow work could hold. Only await() waits: where ready() is false, it comes
// first, in a thread that may wait; without it the answer is Error{EAGAIN}.
#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fs/patience.h"

namespace imagefs::fs {

using NodeId = std::uint64_t;  // never 0; 1 is the root

// A 64-bit id from the parts that identify a node: path, digest … (SipHash or the like; not 0, not
// 1).
[[nodiscard]] NodeId make_node_id(std::initializer_list<std::string_view> parts);

class Node;
using NodePtr = std::shared_ptr<const Node>;

// What open() gives: the bytes as they were then.
class Content {
 public:
  virtual ~Content() = default;
  // Whether read() has these bytes at hand.
  [[nodiscard]] virtual bool ready(std::uint64_t /*offset*/, std::size_t /*count*/) const {
    return true;
  }
  // Waits until it has. Throws Error: why it never will, and what `patience` throws.
  virtual void await(std::uint64_t /*offset*/, std::size_t /*count*/,
                     const Patience& /*patience*/) const {}
  // Fills `into` from `offset`; less only at the end. Throws Error{EIO, ESTALE …}.
  virtual std::size_t read(std::span<std::byte> into, std::uint64_t offset) const = 0;
  // Bytes; may differ from the node's attributes where a file changes between stat and open.
  [[nodiscard]] virtual std::uint64_t size() const = 0;
  // The first place from `offset` (before the end) on that is in data, or in a hole, as lseek(2)
  // has them: the end is a hole. Nothing: no more data.
  [[nodiscard]] virtual std::optional<std::uint64_t> next_data(std::uint64_t offset) const {
    return offset;
  }
  [[nodiscard]] virtual std::uint64_t next_hole(std::uint64_t /*offset*/) const { return size(); }
  // A descriptor, open as long as this object, of a file that has exactly these bytes; nothing:
  // they are no whole file.
  [[nodiscard]] virtual std::optional<int> file() const { return std::nullopt; }
};
using ContentPtr = std::shared_ptr<const Content>;

// How long what is known of a node and its names may be believed.
enum class Lifetime {
  fixed,     // for ever: content inside an image; also that a name is absent
  snapshot,  // until the next change of the store: names for a lease, listings until it is told
  volatile_  // not at all (/, .imagefs/, index.json, status.json): contents read with direct I/O
};

struct ListedName {
  std::string_view name;
  NodeId id;
  mode_t type;         // S_IFDIR, S_IFREG …: always filled in
  std::uint64_t next;  // give this to list() to go on after this name
};

// Makes nodes that are too many to be kept, each from a number of its own.
class NodeMaker {
 public:
  virtual ~NodeMaker() = default;
  // A number that one of its nodes' recipes has.
  [[nodiscard]] virtual NodePtr make(std::uint64_t key) const = 0;
};
struct NodeRecipe {
  std::shared_ptr<const NodeMaker> maker;
  std::uint64_t key;
};

class Node {
 public:
  virtual ~Node() = default;
  [[nodiscard]] virtual NodeId id() const = 0;
  [[nodiscard]] virtual Lifetime lifetime() const = 0;
  // Nothing: the node itself has to be kept.
  [[nodiscard]] virtual std::optional<NodeRecipe> recipe() const { return std::nullopt; }

  // Whether what follows is at hand.
  [[nodiscard]] virtual bool ready() const { return true; }
  // Waits until it is. Throws Error: why it never will be, and what `patience` throws.
  virtual void await(const Patience& /*patience*/) const {}
  // Whether it waits for the disk alone, which does not take long.
  [[nodiscard]] virtual bool await_is_short() const { return true; }

  // All of struct stat that a filesystem fills in; st_ino is id().
  [[nodiscard]] virtual struct stat attributes() const = 0;

  // Directories. Null: no such name. Throws Error{ENOTDIR} by default, Error{ESTALE} when the
  // directory itself is gone.
  [[nodiscard]] virtual NodePtr lookup(std::string_view name) const;
  // Calls `visit` with each listed name after `offset` (0: from the start), "." and ".." not
  // included, until it returns false.
  virtual void list(std::uint64_t offset,
                    const std::function<bool(const ListedName&)>& visit) const;
  // Symlinks. Throws Error{EINVAL} by default.
  [[nodiscard]] virtual std::string target() const;
  // Regular files. Throws Error{EISDIR, EACCES, EIO …}.
  [[nodiscard]] virtual ContentPtr open() const;
  // Extended attributes; none by default.
  [[nodiscard]] virtual std::vector<std::string> xattr_names() const;
  [[nodiscard]] virtual std::optional<std::string> xattr(std::string_view name) const;
};

}  // namespace imagefs::fs
