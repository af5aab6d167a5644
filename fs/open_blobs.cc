#include "fs/open_blobs.h"

#include <mutex>
#include <unordered_map>
#include <utility>

namespace imagefs::fs {

using blobstore::Digest;

struct OpenBlobs::Table {
  explicit Table(std::size_t limit) : most(limit) {}

  const std::size_t most;
  std::mutex mutex;  // of what follows; no Held ends under it
  std::size_t count = 0;
  std::unordered_map<Digest, std::weak_ptr<const Held>> held;  // the last opened of each digest
};

struct OpenBlobs::Held {
  Held(std::shared_ptr<Table> in, const Digest& name, BlobContentPtr opened)
      : table(std::move(in)), digest(name), blob(std::move(opened)) {}
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;
  ~Held() {
    const std::lock_guard lock(table->mutex);
    --table->count;
    const auto known = table->held.find(digest);
    if (known != table->held.end() && known->second.expired()) table->held.erase(known);
  }

  const std::shared_ptr<Table> table;
  const Digest digest;
  const BlobContentPtr blob;
};

OpenBlobs::OpenBlobs(std::size_t most) : table_(std::make_shared<Table>(most)) {}

ContentPtr OpenBlobs::hold(const Digest& digest, BlobContentPtr opened) {
  std::shared_ptr<const Held> held;  // ends after the lock
  const std::lock_guard lock(table_->mutex);
  if (const auto known = table_->held.find(digest); known != table_->held.end()) {
    held = known->second.lock();
    if (held && held->blob->same_file(*opened)) return {held, held->blob.get()};
  }
  if (table_->count >= table_->most) return nullptr;
  const auto added = std::make_shared<const Held>(table_, digest, std::move(opened));
  ++table_->count;
  table_->held.insert_or_assign(digest, added);
  return {added, added->blob.get()};
}

}  // namespace imagefs::fs
