// The tree of a store: what the mount shows, but for ingest/.
//
// tree.root() has oci-layout, index.json, blobs/, images/ and .imagefs/. Directories of images/
// look into the snapshot that is current at the call, so a name that a commit made is there at
// once.
//
// Thread safety: every member from any thread; reload() is serialised. A lookup waits for nothing:
// it copies a pointer to the current snapshot, which is immutable.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "blobstore/platform.h"
#include "blobstore/store.h"
#include "fs/image_child.h"
#include "fs/node.h"

namespace imagefs::fs {

struct TreeOptions {
  blobstore::Platform platform;  // which manifest of a multi-platform image manifest.json is
  uid_t uid;                     // owner of all but rootfs/
  gid_t gid;
  mode_t umask;                                 // taken from all modes but rootfs/'s
  std::function<std::string()> status;          // renders .imagefs/status.json
  std::vector<ImageChild> image_children = {};  // further entries of every image directory
};

class Tree {
 public:
  // Reads index.json. Throws Error when it cannot be read; a store that is being rewritten by
  // another tool shows no images until reload() succeeds.
  Tree(std::shared_ptr<blobstore::Store> store, TreeOptions options);
  ~Tree();

  [[nodiscard]] NodePtr root() const;

  // What the kernel must forget after a snapshot was replaced. Not names: those of images it asks
  // for again before long, and a directory that no name leads through any more is ESTALE.
  struct Changes {
    std::vector<NodeId> directories;  // whose listings changed
  };
  // Looks whether index.json has changed, and swaps the snapshot when it has. An index.json that
  // cannot be parsed keeps the old snapshot: another tool is at it. Throws Error when it cannot be
  // read; the old snapshot stays, and the next call looks again.
  Changes reload();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace imagefs::fs
