// Entries of image directories that others make: rootfs/, image.tar.
//
//   options.image_children = {{"image.tar", S_IFREG, make_image_tar},
//                             {"rootfs", S_IFDIR, make_rootfs}};
#pragma once

#include <sys/stat.h>

#include <ctime>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "blobstore/descriptor.h"
#include "blobstore/documents.h"
#include "blobstore/store.h"
#include "fs/node.h"

namespace imagefs::fs {

// Who owns what the mount makes up, and which mode bits are taken away.
struct Owner {
  uid_t uid;
  gid_t gid;
  mode_t umask;
};

// What an image directory knows of its image.
struct ImageContext {
  std::shared_ptr<const blobstore::Store> store;
  Owner owner;
  std::string path;  // of the directory, from the root: "images/docker.io/library/busybox:1.36"
  std::optional<std::string> name;   // normalised; nothing: untagged. A platform has its image's
  blobstore::Descriptor descriptor;  // what the directory stands for: a manifest or an index
  blobstore::Descriptor manifest_descriptor;  // of manifest.json: the platform that fits
  std::shared_ptr<const blobstore::Manifest> manifest;
  timespec imported;
};

struct ImageChild {
  std::string name;
  mode_t type;  // S_IFDIR or S_IFREG
  // Called at each lookup and listing, so it should be cheap, and from any thread. The node's id
  // must come from context.path and context.manifest_descriptor (or descriptor) alone. Null: this
  // image has no such entry.
  std::function<NodePtr(const ImageContext& context)> make;
};

}  // namespace imagefs::fs
