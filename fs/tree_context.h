// What the nodes of a tree share.
//
// Thread safety: immutable but for the cache and the current view, which may be used from any
// thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "blobstore/platform.h"
#include "blobstore/store.h"
#include "fs/current_view.h"
#include "fs/document_cache.h"
#include "fs/image_child.h"
#include "fs/view.h"

namespace imagefs::fs {

struct TreeContext {
  // `document_cache`: bytes.
  TreeContext(std::shared_ptr<const blobstore::Store> opened, const Owner& shown_owner,
              blobstore::Platform wanted, std::vector<ImageChild> children,
              std::uint64_t document_cache)
      : store(std::move(opened)),
        owner(shown_owner),
        platform(std::move(wanted)),
        image_children(std::move(children)),
        documents(store, document_cache) {}

  std::shared_ptr<const blobstore::Store> store;
  Owner owner;
  blobstore::Platform platform;  // normalised
  std::vector<ImageChild> image_children;
  mutable DocumentCache documents;
  CurrentView view;
};

using TreeContextPtr = std::shared_ptr<const TreeContext>;

// Which image a directory shows, and where.
struct ImagePlace {
  std::string path;  // of the directory, from the root
  std::optional<std::string> name;
  blobstore::Descriptor descriptor;
  timespec imported;
};

}  // namespace imagefs::fs
