// What the FUSE operations of one mount work on, and what they share.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <utility>

#include "blobstore/store.h"
#include "fs/backing_files.h"
#include "fs/content_cache.h"
#include "fs/fuse_request.h"
#include "fs/handle_table.h"
#include "fs/ingest.h"
#include "fs/later.h"
#include "fs/listing_habits.h"
#include "fs/mount_root.h"
#include "fs/node_table.h"
#include "fs/refresher.h"

namespace imagefs::fs {

// Seconds for which the kernel may believe what is fixed.
inline constexpr double kForever = 1e9;
// Each has a reader's bytes in memory while it answers, 1 MiB at most.
inline constexpr std::size_t kWaitingThreads = 32;
// They wait for each other's lock of the store.
inline constexpr std::size_t kPublishingThreads = 2;
inline constexpr std::size_t kIndexingThreads = 14;  // one index is made at a time
inline constexpr std::size_t kLookingThreads = 2;

struct Mount {
  Mount(std::shared_ptr<const MountRoot> mount_root, Ingest* own_ingest, Refresher& own_refresher,
        int store_directory, bool is_read_only)
      : root(std::move(mount_root)),
        nodes(root),
        ingest(own_ingest),
        refresher(own_refresher),
        store(store_directory),
        read_only(is_read_only) {}

  // As Later has them, of all who wait.
  void end_waiting();
  void join_waiting();

  std::shared_ptr<const MountRoot> root;
  NodeTable nodes;
  BackingFiles backing;
  HandleTable handles;
  Ingest* ingest;  // null: nothing can be imported through this mount
  Refresher& refresher;
  int store;            // the store's directory
  int connection = -1;  // to the kernel, once mounted
  bool read_only;       // for the kernel too: it has nothing opened or closed here
  ContentCache unopened;
  ListingHabits habits;
  Later later{kWaitingThreads};
  // These do not stand behind slow readers.
  Later publishing{kPublishingThreads};  // renames
  Later indexing{kIndexingThreads};      // for an index that has to be made
  Later looking{kLookingThreads};        // for the disk alone
};

// The time for which the kernel may go by the names of images, and the attributes of their
// directories, that were read after it began: that of a reader of the store.
class Lease {
 public:
  // One that is over.
  [[nodiscard]] static Lease none();
  [[nodiscard]] double left() const;  // seconds

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point end_ = Clock::now() + blobstore::kReaderLease;
};

// The entry that tells the kernel of a node: `parent` decides how long the name may be believed.
[[nodiscard]] fuse_entry_param make_entry(const Node& parent, const Node& node, const Lease& lease);
// Of attributes that are asked for after it: those from before a node became fixed may be believed
// no longer than it was.
[[nodiscard]] double attribute_timeout(const Node& node, const Lease& lease);

// What an opened file's flags are for its node: fixed content stays cached, what changes is read
// directly.
void set_open_flags(fuse_file_info& file, const Node& node);

// The operations of the two halves of the interface, see fuse_read.cc and fuse_write.cc.
void add_read_operations(fuse_lowlevel_ops& operations);
void add_write_operations(fuse_lowlevel_ops& operations);

}  // namespace imagefs::fs
