#include <fcntl.h>
#include <sys/stat.h>

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

// What was read is dropped from the page cache, which others need more.
Digest reread(int fd, const std::string& what, Progress& progress) {
  (void)::posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
  return hash_file(fd, what, [&](off_t offset, std::size_t count) {
    (void)::posix_fadvise(fd, offset, static_cast<off_t>(count), POSIX_FADV_DONTNEED);
    progress.add(count);
  });
}

// What one look at a blob has found.
struct Finding {
  Digest digest;
  struct stat file;  // as it was before it was read
  std::string why;   // it is damaged; empty: it is sound
};

std::optional<struct stat> status_of_blob(const Directory& directory, const Digest& digest) {
  return find_status(directory.sha256.get(), digest.hex(), "the blob " + digest.str());
}

std::string fault_of(const Directory& directory, const Digest& digest, Progress& progress) {
  const std::string what = "the blob " + digest.str();
  try {
    const auto fd = open_regular(directory.sha256.get(), digest.hex(), what);
    if (!fd) return {};
    const Digest found = reread(fd->get(), what, progress);
    return found == digest ? std::string() : "its bytes hash to " + found.str();
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

// Reads every blob. What is found of those that are damaged, or were when this began.
std::vector<Finding> reread(const Directory& directory, const std::set<Digest>& marked,
                            const Progress::Callback& callback) {
  std::vector<Finding> findings;
  const std::vector<Digest> digests = list_blobs(directory);
  Progress progress(callback, total_size(directory, digests));
  for (const Digest& digest : digests) {
    const auto file = status_of_blob(directory, digest);
    if (!file) continue;
    std::string why = fault_of(directory, digest, progress);
    if (why.empty() && !marked.contains(digest)) continue;
    findings.push_back({digest, *file, std::move(why)});
  }
  return findings;
}

bool still_holds(const Directory& directory, const Finding& finding) {
  const auto now = status_of_blob(directory, finding.digest);
  return now && same_file(*now, finding.file);
}

// Marks what is damaged, and takes the mark from what is sound again. What an import has replaced
// meanwhile is left as it is, and so are marks that others have set meanwhile: what they saw is
// newer.
std::vector<Store::Damage> remember(const Directory& directory,
                                    const std::vector<Finding>& findings) {
  std::optional<StoreLock> lock;
  if (!directory.read_only) lock.emplace(directory.root.get());
  const std::set<Digest> before = directory.marks.all(directory.root.get());
  std::set<Digest> marks = before;
  std::vector<Store::Damage> damages;
  for (const Finding& finding : findings) {
    if (!still_holds(directory, finding)) continue;
    if (finding.why.empty()) {
      marks.erase(finding.digest);
    } else {
      marks.insert(finding.digest);
      damages.push_back({finding.digest, finding.why});
    }
  }
  if (marks != before) {
    directory.marks.replace(directory.root.get(), marks, directory.read_only);
  }
  return damages;
}

}  // namespace

std::vector<Store::Damage> Store::verify(
    const std::function<void(std::uint64_t done, std::uint64_t total)>& progress) {
  const Directory& directory = state_->directory;
  const std::set<Digest> marked = directory.marks.all(directory.root.get());
  std::vector<Damage> damages = remember(directory, reread(directory, marked, progress));
  for (Damage& missing : find_missing(directory)) damages.push_back(std::move(missing));
  return damages;
}

}  // namespace imagefs::blobstore
