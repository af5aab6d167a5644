#include "fs/document_cache.h"

#include <cerrno>

#include "blobstore/error.h"
#include "importer/limits.h"

namespace imagefs::fs {

using blobstore::Descriptor;
using blobstore::Digest;
using blobstore::Document;

DocumentPtr DocumentCache::get(const Descriptor& descriptor) {
  if (DocumentPtr document = find(descriptor.digest)) return document;
  const std::string what = "the document " + descriptor.digest.str();
  const auto bytes = store_->read_blob(descriptor.digest, importer::Limits{}.max_json);
  if (!bytes) return nullptr;
  try {
    auto document = std::make_shared<const Document>(
        blobstore::parse_document(*bytes, descriptor.media_type, what));
    insert({descriptor.digest, bytes->size(), document});
    return document;
  } catch (const Error& error) {
    throw Error(EIO, error.sentence());
  }
}

DocumentPtr DocumentCache::find(const Digest& digest) {
  const std::lock_guard lock(mutex_);
  const auto found = by_digest_.find(digest);
  if (found == by_digest_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, found->second);
  return found->second->document;
}

void DocumentCache::insert(Entry entry) {
  const std::lock_guard lock(mutex_);
  if (entry.size > capacity_ || by_digest_.contains(entry.digest)) return;
  size_ += entry.size;
  entries_.push_front(std::move(entry));
  by_digest_.emplace(entries_.front().digest, entries_.begin());
  while (size_ > capacity_) {
    size_ -= entries_.back().size;
    by_digest_.erase(entries_.back().digest);
    entries_.pop_back();
  }
}

}  // namespace imagefs::fs
