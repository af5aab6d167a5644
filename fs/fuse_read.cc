// The operations that look and read.
#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <vector>

#include "blobstore/error.h"
#include "fs/fuse_directory.h"
#include "fs/fuse_guard.h"
#include "fs/fuse_later.h"
#include "fs/fuse_mount.h"
#include "fs/image_directory.h"

namespace imagefs::fs {
namespace {

constexpr std::size_t kNameMax = 255;

// What an image's directory lacks may come with its next import: a document was not in the store.
void answer_absent(Request& request, const Node& directory) {
  const bool stays = directory.lifetime() == Lifetime::fixed &&
                     dynamic_cast<const ImageDirectory*>(&directory) == nullptr;
  if (!stays) return request.error(ENOENT);
  fuse_entry_param absent{};
  absent.entry_timeout = kForever;
  (void)request.entry(absent);
}

void answer_entry(Mount& mount, Request& request, const NodePtr& directory, std::string_view name,
                  const Lease& lease) {
  const NodePtr node = directory->lookup(name);
  if (!node) return answer_absent(request, *directory);
  answer_when_ready(mount, request, node,
                    [&mount, directory, node, lease](Request& answered, const Node&) {
                      const fuse_entry_param entry = make_entry(*directory, *node, lease);
                      if (!S_ISDIR(entry.attr.st_mode)) mount.habits.look_up();
                      mount.nodes.remember(node);
                      if (!answered.entry(entry)) mount.nodes.forget(node->id(), 1);
                    });
}

// A node that shows the store as it is now.
NodePtr get_refreshed(Mount& mount, fuse_ino_t id) {
  NodePtr node = mount.nodes.get(id);
  if (node->lifetime() == Lifetime::snapshot) mount.refresher.refresh_if_changed();
  return node;
}

void lookup(Mount& mount, Request& request, fuse_ino_t parent, const char* name) {
  if (std::string_view(name).size() > kNameMax) throw Error(ENAMETOOLONG, "name too long");
  const Lease lease;
  const NodePtr directory = get_refreshed(mount, parent);
  answer_when_ready(mount, request, directory,
                    [=, &mount, name = std::string(name)](Request& answered, const Node&) {
                      answer_entry(mount, answered, directory, name, lease);
                    });
}

void forget(Mount& mount, Request& request, fuse_ino_t node, std::uint64_t times) {
  mount.nodes.forget(node, times);
  request.none();
}

void forget_multi(Mount& mount, Request& request, std::size_t count, fuse_forget_data* forgets) {
  for (std::size_t i = 0; i < count; ++i) mount.nodes.forget(forgets[i].ino, forgets[i].nlookup);
  request.none();
}

void answer_attributes(Mount& mount, Request& request, const Node& node, const Lease& lease) {
  const double timeout = attribute_timeout(node, lease);
  struct stat attributes = node.attributes();
  if (mount.read_only && node.lifetime() == Lifetime::volatile_ && S_ISREG(attributes.st_mode)) {
    attributes.st_size = static_cast<off_t>(mount.unopened.reopen(node)->size());
  }
  request.attributes(attributes, timeout);
}

void getattr(Mount& mount, Request& request, fuse_ino_t id, fuse_file_info* /*file*/) {
  const Lease lease;
  const NodePtr node = get_refreshed(mount, id);
  answer_when_ready(mount, request, node, [=, &mount](Request& answered, const Node& found) {
    answer_attributes(mount, answered, found, lease);
  });
}

void readlink(Mount& mount, Request& request, fuse_ino_t id) {
  request.target(mount.nodes.get(id)->target());
}

// The kernel never asks again: it caches every listing, and compares the directory's time where it
// may not believe the attributes.
void opendir(Mount& /*mount*/, Request& request, fuse_ino_t /*id*/, fuse_file_info* /*file*/) {
  request.error(ENOSYS);
}

void readdir(Mount& mount, Request& request, fuse_ino_t id, std::size_t size, off_t offset,
             fuse_file_info* /*file*/) {
  const auto after = static_cast<std::uint64_t>(offset);
  answer_when_ready(mount, request, get_refreshed(mount, id),
                    [size, after](Request& answered, const Node& node) {
                      answered.bytes(list_names(answered, node, size, after));
                    });
}

void readdirplus(Mount& mount, Request& request, fuse_ino_t id, std::size_t size, off_t offset,
                 fuse_file_info* /*file*/) {
  const auto after = static_cast<std::uint64_t>(offset);
  // Where the kernel goes on with attributes, somebody has asked for some.
  const bool wanted = after != 0 || mount.habits.begin();
  answer_when_ready(mount, request, get_refreshed(mount, id),
                    [&mount, size, after, wanted](Request& answered, const Node& node) {
                      answered.bytes(wanted ? list_nodes(answered, mount.nodes, node, size, after)
                                            : list_names_plus(answered, node, size, after));
                    });
}

void answer_bytes(Request& request, const Content& content, std::size_t size,
                  std::uint64_t offset) {
  thread_local std::vector<std::byte> buffer;
  if (buffer.size() < size) buffer.resize(size);
  const std::span into(buffer.data(), size);
  request.bytes(into.first(content.read(into, offset)));
}

ContentPtr opened_content(Mount& mount, fuse_ino_t id, const fuse_file_info& file) {
  return mount.read_only ? mount.unopened.open(*mount.nodes.get(id))
                         : mount.handles.get(file.fh)->content;
}

void read(Mount& mount, Request& request, fuse_ino_t id, std::size_t size, off_t offset,
          fuse_file_info* file) {
  const ContentPtr content = opened_content(mount, id, *file);
  const auto from = static_cast<std::uint64_t>(offset);
  if (content->ready(from, size)) return answer_bytes(request, *content, size, from);
  answer_later(mount.later, request, [=](Request& waiting, const Patience& patience) {
    content->await(from, size, patience);
    answer_bytes(waiting, *content, size, from);
  });
}

// Asked for data or a hole; everything else the kernel can tell by the size.
void lseek(Mount& mount, Request& request, fuse_ino_t id, off_t offset, int whence,
           fuse_file_info* file) {
  const ContentPtr content = opened_content(mount, id, *file);
  const auto from = static_cast<std::uint64_t>(offset);
  if (whence != SEEK_DATA && whence != SEEK_HOLE) throw Error(EINVAL, "lseek");
  if (from >= content->size()) throw Error(ENXIO, "behind the end");
  const auto found = whence == SEEK_DATA ? content->next_data(from) : content->next_hole(from);
  if (!found) throw Error(ENXIO, "no more data");
  request.offset(*found);
}

// Of no other namespace does anything here have an attribute. Told so, ls asks for a file's ACL and
// SELinux label only once.
bool is_supported_xattr(std::string_view name) {
  return name.starts_with("user.") || name == "security.capability";
}

// `size`: of the caller's buffer; 0: it asks how large that has to be.
void answer_xattr(Request& request, std::string_view value, std::size_t size) {
  if (size == 0) return request.xattr_size(value.size());
  if (size < value.size()) return request.error(ERANGE);
  request.bytes(std::as_bytes(std::span(value)));
}

void getxattr(Mount& mount, Request& request, fuse_ino_t id, const char* name, std::size_t size) {
  if (!is_supported_xattr(name)) return request.error(EOPNOTSUPP);
  answer_when_ready(mount, request, mount.nodes.get(id),
                    [name = std::string(name), size](Request& answered, const Node& node) {
                      const auto value = node.xattr(name);
                      if (!value) return answered.error(ENODATA);
                      answer_xattr(answered, *value, size);
                    });
}

void listxattr(Mount& mount, Request& request, fuse_ino_t id, std::size_t size) {
  answer_when_ready(mount, request, mount.nodes.get(id),
                    [size](Request& answered, const Node& node) {
                      std::string names;
                      for (const std::string& name : node.xattr_names()) names.append(name) += '\0';
                      answer_xattr(answered, names, size);
                    });
}

void statfs(Mount& mount, Request& request, fuse_ino_t /*id*/) {
  struct statvfs statistics{};
  if (::fstatvfs(mount.store, &statistics) != 0) throw_errno("statvfs");
  statistics.f_namemax = kNameMax;
  request.filesystem(statistics);
}

}  // namespace

void add_read_operations(fuse_lowlevel_ops& operations) {
  operations.lookup = kGuarded<lookup>;
  operations.forget = kGuarded<forget>;
  operations.forget_multi = kGuarded<forget_multi>;
  operations.getattr = kGuarded<getattr>;
  operations.readlink = kGuarded<readlink>;
  operations.opendir = kGuarded<opendir>;
  operations.readdir = kGuarded<readdir>;
  operations.readdirplus = kGuarded<readdirplus>;
  operations.read = kGuarded<read>;
  operations.lseek = kGuarded<lseek>;
  operations.getxattr = kGuarded<getxattr>;
  operations.listxattr = kGuarded<listxattr>;
  operations.statfs = kGuarded<statfs>;
}

}  // namespace imagefs::fs
