#include "fs/fuse_mount.h"

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

double attribute_timeout(const Node& node) {
  return node.lifetime() == Lifetime::fixed ? kForever : 0;
}

fuse_entry_param make_entry(const Node& parent, const Node& node) {
  fuse_entry_param entry{};
  entry.ino = node.id();
  entry.attr_timeout = attribute_timeout(node);
  entry.attr = node.attributes();
  // A directory of names is itself wherever its path is; the name of an image may lead to another
  // image at the next lookup.
  const bool stays =
      parent.lifetime() == Lifetime::fixed || dynamic_cast<const NamesDirectory*>(&node) != nullptr;
  entry.entry_timeout = stays ? kForever : 0;
  return entry;
}

void set_open_flags(fuse_file_info& file, const Node& node) {
  const bool fixed = node.lifetime() == Lifetime::fixed;
  file.keep_cache = fixed;
  file.direct_io = !fixed;
  file.noflush = 1;
}

}  // namespace imagefs::fs
