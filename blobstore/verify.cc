#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <set>
#include <utility>

#include "blobstore/blob_files.h"
#include "blobstore/completeness.h"
#include "blobstore/error.h"
#include "blobstore/files.h"
#include "blobstore/store.h"
#include "blobstore/store_state.h"

namespace imagefs::blobstore {
namespace {

constexpr std::size_t kReadStep = 1 << 20;

// Counts the bytes that were read, for whoever watches.
class Progress {
 public:
  using Callback = std::function<void(std::uint64_t done, std::uint64_t total)>;

  Progress(Callback callback, std::uint64_t total)
      : callback_(std::move(callback)), total_(total) {}

  void add(std::uint64_t bytes) {
    done_ += bytes;
    if (callback_) callback_(done_, std::max(done_, total_));
  }

 private:
  Callback callback_;
  std::uint64_t done_ = 0;
  std::uint64_t total_;
};

// Reads a file to its end. What was read is dropped from the page cache, which others need more.
Digest hash_file(int fd, const std::string& what, Progress& progress) {
  (void)::posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
  std::vector<std::byte> buffer(kReadStep);
  Sha256 hash;
  for (off_t offset = 0;;) {
    const ssize_t got = ::pread(fd, buffer.data(), buffer.size(), offset);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw_errno("cannot read " + what);
    if (got == 0) return hash.finish();
    hash.update(std::span(buffer).first(static_cast<std::size_t>(got)));
    (void)::posix_fadvise(fd, offset, got, POSIX_FADV_DONTNEED);
    offset += got;
    progress.add(static_cast<std::uint64_t>(got));
  }
}

// Why a blob is damaged; nothing when it is sound, or has gone.
std::optional<std::string> fault_of(const Directory& directory, const Digest& digest,
                                    Progress& progress) {
  const std::string what = "the blob " + digest.str();
  try {
    const auto fd = open_regular(directory.sha256.get(), digest.hex(), what);
    if (!fd) return std::nullopt;
    const Digest found = hash_file(fd->get(), what, progress);
    if (found == digest) return std::nullopt;
    return "its bytes hash to " + found.str();
  } catch (const Error& error) {
    if (error.errno_value() != EIO) throw;
    return error.sentence();
  }
}

std::uint64_t total_size(const Directory& directory, const std::vector<Digest>& digests) {
  std::uint64_t total = 0;
  for (const Digest& digest : digests) {
    try {
      total += blob_size(directory, digest).value_or(0);
    } catch (const Error&) {
      continue;  // fault_of will say it
    }
  }
  return total;
}

std::vector<Store::Damage> reread(const Directory& directory, const Progress::Callback& callback) {
  std::vector<Store::Damage> damages;
  const std::vector<Digest> digests = list_blobs(directory);
  Progress progress(callback, total_size(directory, digests));
  for (const Digest& digest : digests) {
    if (auto why = fault_of(directory, digest, progress)) damages.push_back({digest, *why});
  }
  return damages;
}

// Marks what is damaged. Under the lock each is looked at again: an import may have healed it.
void remember(const Directory& directory, std::vector<Store::Damage>& damages) {
  std::optional<StoreLock> lock;
  if (!directory.read_only) lock.emplace(directory.root.get());
  Progress silent({}, 0);
  std::erase_if(damages, [&](const Store::Damage& damage) {
    return !fault_of(directory, damage.digest, silent);
  });
  std::set<Digest> damaged;
  for (const Store::Damage& damage : damages) damaged.insert(damage.digest);
  if (damaged == directory.marks.all(directory.root.get())) return;
  directory.marks.replace(directory.root.get(), damaged, directory.read_only);
}

}  // namespace

std::vector<Store::Damage> Store::verify(
    const std::function<void(std::uint64_t done, std::uint64_t total)>& progress) {
  const Directory& directory = state_->directory;
  std::vector<Damage> damages = reread(directory, progress);
  remember(directory, damages);
  for (Damage& missing : find_missing(directory, blobstore::read_index(directory))) {
    damages.push_back(std::move(missing));
  }
  return damages;
}

}  // namespace imagefs::blobstore
