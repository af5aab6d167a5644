#include "fs/fuse_mount.h"

#include <algorithm>

#include "fs/names_directory.h"

namespace imagefs::fs {

void Mount::end_waiting() {
  later.end();
  indexing.end();
  publishing.end();
  looking.end();
}

void Mount::join_waiting() {
  later.join();
  indexing.join();
  publishing.join();
  looking.join();
}

Lease Lease::none() {
  Lease lease;
  lease.end_ = {};
  return lease;
}

double Lease::left() const {
  const std::chrono::duration<double> left = end_ - Clock::now();
  return std::max(left.count(), 0.0);
}

double attribute_timeout(const Node& node, const Lease& lease) {
  if (node.lifetime() == Lifetime::fixed) return kForever;
  // With default_permissions the kernel looks at the root's for every path.
  const bool leased = node.lifetime() == Lifetime::snapshot || node.id() == FUSE_ROOT_ID;
  return leased ? lease.left() : 0;
}

fuse_entry_param make_entry(const Node& parent, const Node& node, const Lease& lease) {
  fuse_entry_param entry{};
  entry.ino = node.id();
  entry.attr_timeout = attribute_timeout(node, lease);
  entry.attr = node.attributes();
  // A directory of names is itself wherever its path is; the name of an image may lead to another
  // image at the next lookup.
  const bool stays =
      parent.lifetime() == Lifetime::fixed || dynamic_cast<const NamesDirectory*>(&node) != nullptr;
  if (stays) {
    entry.entry_timeout = kForever;
  } else if (parent.lifetime() == Lifetime::snapshot) {
    entry.entry_timeout = lease.left();
  }
  return entry;
}

void set_open_flags(fuse_file_info& file, const Node& node) {
  const bool fixed = node.lifetime() == Lifetime::fixed;
  file.keep_cache = fixed;
  file.direct_io = !fixed;
  file.noflush = 1;
}

}  // namespace imagefs::fs
