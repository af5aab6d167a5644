// The names of a store at one moment: an immutable tree of images/, made from index.json alone.
//
//   images/docker.io/library/busybox:1.36      a directory for each component, a leaf for each name
//   images/sha256:<hex>                        a leaf for each image without a name
//
// No document but index.json is read for it, so that a store of 10,000 images is seen at once.
//
// Thread safety: immutable.
#pragma once

#include <cstdint>
#include <ctime>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "blobstore/index.h"
#include "fs/node.h"

namespace imagefs::fs {

struct ViewImage {
  blobstore::Descriptor descriptor;  // without annotations
  std::optional<std::string> name;   // normalised; nothing: untagged
  timespec imported;
};

struct ViewDirectory;

// Exactly one of both.
struct ViewChild {
  NodeId id = 0;
  std::unique_ptr<ViewDirectory> directory = {};
  std::shared_ptr<const ViewImage> image = {};
};

struct ViewDirectory {
  using Children = std::map<std::string, ViewChild, std::less<>>;

  std::string path;  // "images", "images/docker.io" …
  NodeId id = 0;
  timespec mtime = {};  // when the newest image below was imported
  Children children = {};
  // The same in the order of listing. A name keeps its cookie from one View to the next, so that a
  // listing in pages neither skips nor repeats what stays.
  std::map<std::uint64_t, Children::const_pointer> by_cookie = {};
};

class View {
 public:
  // `blob_time`: the import time of an image whose entry does not tell.
  View(const std::vector<blobstore::Image>& images,
       const std::function<timespec(const blobstore::Digest&)>& blob_time);

  // "images", "images/docker.io" … Null when no image's name leads through it.
  [[nodiscard]] const ViewDirectory* directory(std::string_view path) const;
  // Where a familiar name, unlisted in the directory, leads: a path relative to the directory. In
  // images/: busybox, busybox:1.36 and, so that library/busybox resolves component by component,
  // library. A listed name of the same spelling is not looked for.
  [[nodiscard]] std::optional<std::string> familiar_target(const ViewDirectory& directory,
                                                           std::string_view name) const;
  // Whether an image of this manifest or index is listed, with a name or without.
  [[nodiscard]] bool lists(const blobstore::Digest& digest) const {
    return digests_.contains(digest);
  }
  // The node that a name leads to: listed, or a symlink for a familiar name. 0: none.
  [[nodiscard]] NodeId resolve(std::string_view directory_path, std::string_view name) const;

 private:
  [[nodiscard]] std::optional<std::string> familiar_path(const ViewDirectory& directory,
                                                         std::string_view name) const;
  ViewDirectory root_;
  std::unordered_set<blobstore::Digest> digests_;
};

// The id of the symlink that a familiar name is.
[[nodiscard]] NodeId familiar_id(const ViewDirectory& directory, std::string_view name,
                                 std::string_view target);

}  // namespace imagefs::fs
