#include "blobstore/transaction.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "blobstore/blob_files.h"
#include "blobstore/error.h"
#include "blobstore/files.h"
#include "blobstore/intent.h"
#include "blobstore/temporary_file.h"

namespace imagefs::blobstore {
namespace {

constexpr std::size_t kCopyStep = 1 << 20;
constexpr const char* kIndex = "index.json";

// Gives an open file a name; false when it cannot have one: its last link has been removed (a GC
// took it), or it lies on another filesystem, or /proc is not there.
bool try_link(int fd, int directory, const std::string& name) {
  if (link_open_file(fd, directory, name)) return true;
  if (errno == ENOENT || errno == EXDEV || errno == EPERM) return false;
  throw_errno("cannot link the blob " + name);
}

void copy_bytes(const HeldBlob& blob, int target) {
  std::vector<std::byte> buffer(kCopyStep);
  for (std::uint64_t offset = 0; offset < blob.size;) {
    const ssize_t got =
        ::pread(blob.fd.get(), buffer.data(), buffer.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw_errno("cannot read the blob " + blob.digest.str());
    if (got == 0) throw Error(EIO, "the blob " + blob.digest.str() + " became shorter");
    write_all(target, std::span(buffer).first(static_cast<std::size_t>(got)), offset);
    offset += static_cast<std::uint64_t>(got);
  }
  if (::fchmod(target, 0444) != 0 || ::fdatasync(target) != 0) {
    throw_errno("cannot write to the store");
  }
}

// Puts a copy of the held bytes in the blob's place.
void copy_into_place(const Directory& directory, const HeldBlob& blob) {
  const TemporaryFile copy = make_named_file(directory.blobs.get(), kBlobInMaking);
  try {
    copy_bytes(blob, copy.fd.get());
    if (::renameat(directory.blobs.get(), copy.name.c_str(), directory.sha256.get(),
                   blob.digest.hex().c_str()) != 0) {
      throw_errno("cannot name the blob " + blob.digest.str());
    }
  } catch (...) {
    ::unlinkat(directory.blobs.get(), copy.name.c_str(), 0);
    throw;
  }
}

void sync_blob(const Directory& directory, const Digest& digest) {
  const std::string what = "the blob " + digest.str();
  const auto fd = open_regular(directory.sha256.get(), digest.hex(), what);
  if (!fd) throw Error(ENOENT, what + " vanished");
  sync(fd->get(), what);
}

std::vector<Digest> digests_of(const std::vector<const HeldBlob*>& blobs) {
  std::vector<Digest> digests;
  digests.reserve(blobs.size());
  for (const HeldBlob* blob : blobs) digests.push_back(blob->digest);
  return digests;
}

bool try_remove_intent(const Directory& directory) {
  try {
    remove_intent(directory);
    return true;
  } catch (const Error&) {
    return false;
  }
}

}  // namespace

Missing missing_blobs(const Directory& directory, const std::vector<const HeldBlob*>& blobs) {
  Missing missing;
  std::set<Digest> seen;
  for (const HeldBlob* blob : blobs) {
    if (!seen.insert(blob->digest).second) continue;
    const auto size = blob_size(directory, blob->digest);
    if (!size) {
      missing.absent.push_back(blob);
    } else if (*size != blob->size ||
               directory.marks.contains(directory.root.get(), blob->digest)) {
      missing.damaged.push_back(blob);
    } else {
      missing.standing.push_back(blob);
    }
  }
  return missing;
}

Transaction::Transaction(const Directory& directory) : directory_(directory) {}

Transaction::~Transaction() {
  // What is not undone stays in the intent: whoever locks the store next settles it.
  if (!finished_) (void)try_undo();
}

void Transaction::add_blobs(const Missing& missing) {
  if (missing.empty()) return;
  if (!missing.absent.empty()) write_intent(directory_, digests_of(missing.absent));
  for (const HeldBlob* blob : missing.absent) link(*blob);
  for (const HeldBlob* blob : missing.damaged) replace(*blob);
  for (const HeldBlob* blob : missing.standing) sync_blob(directory_, blob->digest);
  sync(directory_.sha256.get(), "blobs/sha256/");
  unmark(missing.absent);
  unmark(missing.damaged);
}

void Transaction::link(const HeldBlob& blob) {
  if (!try_link(blob.fd.get(), directory_.sha256.get(), blob.digest.hex())) {
    copy_into_place(directory_, blob);
  }
  linked_.push_back(blob.digest);
}

void Transaction::replace(const HeldBlob& blob) {
  const std::string temporary = random_name(kReplacementPrefix);
  if (!try_link(blob.fd.get(), directory_.blobs.get(), temporary)) {
    copy_into_place(directory_, blob);
    return;
  }
  if (::renameat(directory_.blobs.get(), temporary.c_str(), directory_.sha256.get(),
                 blob.digest.hex().c_str()) != 0) {
    throw_errno("cannot replace the blob " + blob.digest.str());
  }
}

void Transaction::unmark(const std::vector<const HeldBlob*>& healed) {
  std::set<Digest> damaged = directory_.marks.all(directory_.root.get());
  const auto is_marked = [&](const HeldBlob* blob) { return damaged.erase(blob->digest) > 0; };
  if (std::ranges::count_if(healed, is_marked) == 0) return;
  directory_.marks.replace(directory_.root.get(), damaged, false);
}

void Transaction::replace_index(const std::string& bytes) {
  old_index_ = read_index_file(directory_);
  index_touched_ = true;
  replace_file(directory_.root.get(), kIndex, bytes);
}

void Transaction::keep_index() { sync(directory_.root.get(), "the store"); }

void Transaction::finish() {
  finished_ = true;
  // The images are there and on disk. An intent that stays does no harm: all that it lists is
  // referred to.
  (void)try_remove_intent(directory_);
}

bool Transaction::try_undo() noexcept {
  try {
    undo();
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

void Transaction::undo() {
  if (index_touched_) restore_index();
  for (const Digest& digest : linked_) remove_file(directory_.sha256.get(), digest.hex());
  if (!linked_.empty()) sync(directory_.sha256.get(), "blobs/sha256/");
  remove_intent(directory_);
}

void Transaction::restore_index() {
  if (read_index_file(directory_) == old_index_) return;
  if (old_index_) {
    replace_file(directory_.root.get(), kIndex, *old_index_);
  } else {
    remove_file(directory_.root.get(), kIndex);
    sync(directory_.root.get(), "the store");
  }
}

}  // namespace imagefs::blobstore
