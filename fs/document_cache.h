// Manifests and indexes that were read lately.
//
// Thread safety: every member from any thread; the lock is never held while a blob is read.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "blobstore/documents.h"
#include "blobstore/store.h"

namespace imagefs::fs {

using DocumentPtr = std::shared_ptr<const blobstore::Document>;

class DocumentCache {
 public:
  // `capacity`: bytes of documents, as they are stored.
  DocumentCache(std::shared_ptr<const blobstore::Store> store, std::uint64_t capacity)
      : store_(std::move(store)), capacity_(capacity) {}

  // Null when the blob is absent. Throws Error{EIO} when it is damaged or no such document.
  [[nodiscard]] DocumentPtr get(const blobstore::Descriptor& descriptor);

 private:
  struct Entry {
    blobstore::Digest digest;
    std::uint64_t size;
    DocumentPtr document;
  };

  [[nodiscard]] DocumentPtr find(const blobstore::Digest& digest);
  void insert(Entry entry);

  const std::shared_ptr<const blobstore::Store> store_;
  const std::uint64_t capacity_;
  std::mutex mutex_;
  std::list<Entry> entries_;  // the last used first
  std::unordered_map<blobstore::Digest, std::list<Entry>::iterator> by_digest_;
  std::uint64_t size_ = 0;
};

}  // namespace imagefs::fs
