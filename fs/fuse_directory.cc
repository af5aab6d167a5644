#include "fs/fuse_directory.h"

#include <string>
#include <vector>

#include "fs/fuse_mount.h"

namespace imagefs::fs {
namespace {

// "." and ".." have the first two offsets, a node's own come after them.
constexpr std::uint64_t kDots = 2;

// The entries of one answer.
class Listing {
 public:
  Listing(const Request& request, std::size_t size) : request_(request), size_(size) {
    buffer().clear();
  }

  // False when it does not fit.
  bool add(const std::string& name, const struct stat& attributes, std::uint64_t next) {
    const auto format = [&](char* into, std::size_t room) {
      return ::fuse_add_direntry(request_.raw(), into, room, name.c_str(), &attributes,
                                 static_cast<off_t>(next));
    };
    return append(format);
  }
  bool add(const std::string& name, const fuse_entry_param& entry, std::uint64_t next) {
    const auto format = [&](char* into, std::size_t room) {
      return ::fuse_add_direntry_plus(request_.raw(), into, room, name.c_str(), &entry,
                                      static_cast<off_t>(next));
    };
    return append(format);
  }

  [[nodiscard]] static std::span<const std::byte> bytes() {
    return std::as_bytes(std::span(buffer()));
  }

 private:
  template <typename Format>
  bool append(const Format& format) {
    std::vector<char>& into = buffer();
    const std::size_t used = into.size();
    const std::size_t needed = format(nullptr, 0);
    if (used + needed > size_) return false;
    into.resize(used + needed);
    format(into.data() + used, needed);
    return true;
  }
  static std::vector<char>& buffer() {
    thread_local std::vector<char> bytes;
    return bytes;
  }

  const Request& request_;
  const std::size_t size_;
};

fuse_entry_param plain_entry(NodeId id, mode_t type) {
  fuse_entry_param entry{};  // ino 0: the kernel takes the name and the type alone
  entry.attr.st_ino = id;
  entry.attr.st_mode = type;
  return entry;
}

// Calls `add(name, id, type, next)` for each entry after `offset` until it returns false.
template <typename Add>
void for_each_entry(const Node& directory, std::uint64_t offset, const Add& add) {
  if (offset == 0 && !add(".", directory.id(), S_IFDIR, 1)) return;
  if (offset <= 1 && !add("..", directory.id(), S_IFDIR, kDots)) return;
  const std::uint64_t after = offset <= kDots ? 0 : offset - kDots;
  directory.list(after, [&](const ListedName& listed) {
    return add(std::string(listed.name), listed.id, listed.type, listed.next + kDots);
  });
}

// Without attributes; `describe(id, type)` gives an entry its form.
template <typename Describe>
std::span<const std::byte> list_plain(const Request& request, const Node& directory,
                                      std::size_t size, std::uint64_t offset,
                                      const Describe& describe) {
  Listing listing(request, size);
  for_each_entry(directory, offset,
                 [&](const std::string& name, NodeId id, mode_t type, std::uint64_t next) {
                   return listing.add(name, describe(id, type), next);
                 });
  return Listing::bytes();
}

}  // namespace

std::span<const std::byte> list_names(const Request& request, const Node& directory,
                                      std::size_t size, std::uint64_t offset) {
  return list_plain(request, directory, size, offset,
                    [](NodeId id, mode_t type) { return plain_entry(id, type).attr; });
}

std::span<const std::byte> list_names_plus(const Request& request, const Node& directory,
                                           std::size_t size, std::uint64_t offset) {
  return list_plain(request, directory, size, offset, plain_entry);
}

std::span<const std::byte> list_nodes(const Request& request, NodeTable& nodes,
                                      const Node& directory, std::size_t size,
                                      std::uint64_t offset) {
  Listing listing(request, size);
  for_each_entry(
      directory, offset, [&](const std::string& name, NodeId id, mode_t type, std::uint64_t next) {
        const bool is_dot = next <= kDots;
        const NodePtr node = is_dot ? nullptr : directory.lookup(name);
        // The kernel asks for those that take longer by their names.
        if (!node || !node->ready()) {
          return listing.add(name, plain_entry(id, type), next);
        }
        nodes.remember(node);
        const bool fits = listing.add(name, make_entry(directory, *node, Lease::none()), next);
        if (!fits) nodes.forget(node->id(), 1);
        return fits;
      });
  return Listing::bytes();
}

}  // namespace imagefs::fs
