// A store: a directory that is an OCI image layout (oci-layout, index.json, blobs/sha256/), plus
// `lock`, `intent` (only during a commit) and `cache/` (derived, may be deleted at any time).
//
// Several processes may use one store at once; other tools may read it, and write it as they write
// any layout. All paths are opened relative to the directory that was opened once, without
// following symlinks: what was tampered with is an Error, never a way out.
//
// Thread safety: all members may be called from any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "blobstore/access.h"
#include "blobstore/digest.h"
#include "blobstore/index.h"
#include "blobstore/unique_fd.h"
#include "blobstore/writer.h"

namespace imagefs::blobstore {

// For so long a reader may go by what it has seen of index.json, and lead others by a name to the
// image that had it. A commit that moves a name or takes it away waits for that.
inline constexpr std::chrono::milliseconds kReaderLease{50};

class Store {
 public:
  using Access = blobstore::Access;

  // Opens a layout. Unless it is read_only, what a crash left (an intent, named temporary files) is
  // cleaned up. Throws Error: ENOENT, ENOTDIR, EINVAL (no layout, or another imageLayoutVersion
  // than 1.0.0), EROFS, EACCES …
  [[nodiscard]] static std::shared_ptr<Store> open(const std::filesystem::path& directory,
                                                   Access access);
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;
  ~Store();

  [[nodiscard]] const std::filesystem::path& path() const noexcept;
  [[nodiscard]] bool read_only() const noexcept;
  // The directory itself, for *at() calls, fstatvfs and inotify (through /proc/self/fd).
  [[nodiscard]] int directory_fd() const noexcept;

  // Absent index.json: an empty Index. Throws Error{EBADMSG} when it is no index (another tool may
  // be rewriting it in place: try again), Error{EIO} when it is no regular file.
  [[nodiscard]] Index read_index() const;
  // The bytes of index.json as they are; an absent one gives an empty index's bytes.
  [[nodiscard]] std::string index_bytes() const;

  // Opens a blob for reading. Nothing when it is absent. Throws Error{EIO} when what has the name
  // is no regular file, or when verify found it damaged.
  [[nodiscard]] std::optional<UniqueFd> open_blob(const Digest& digest) const;
  // The same as a lease, with its size. Nothing when it is absent or known to be damaged.
  [[nodiscard]] std::optional<HeldBlob> hold(const Digest& digest) const;
  // All bytes of a small blob, checked against its digest. Nothing when it is absent. Throws
  // Error{EFBIG} over `limit`, Error{EIO} when the bytes hash to something else.
  [[nodiscard]] std::optional<std::string> read_blob(const Digest& digest,
                                                     std::uint64_t limit) const;
  [[nodiscard]] std::vector<Digest> blobs() const;  // what stands in blobs/sha256, sorted

  // Throws Error{EROFS} for a read-only store.
  [[nodiscard]] Writer write_blob();

  // Makes `blobs` and what `edit` does to the index real, all or nothing, durable when it returns:
  // exclusive lock, intent, link, sync (also of blobs that are there already: other tools sync
  // nothing), index.json by rename, sync. `edit` gets the index as it is now. The blobs stay held
  // until the caller lets go of them. Throws Error; then nothing changed. Returns when no reader
  // goes by an index.json that misleads it now, and holds no lock meanwhile.
  void commit(const std::vector<const HeldBlob*>& blobs, const std::function<void(Index&)>& edit);

  struct Collected {
    std::uint64_t images = 0;
    std::uint64_t blobs = 0;
    std::uint64_t bytes = 0;
  };
  // Removes untagged images that were superseded or imported longer ago than `older_than`, blobs
  // that no image refers to and that are older than an hour (`unreferenced_age`), and what cache/
  // holds for blobs that are gone. A referrer (an image with a `subject`) stays as long as the
  // subject does. Manifests of media types that are not known keep whatever they name. An image
  // whose manifest is missing, or whose documents cannot be read, keeps everything: throws Error
  // then, which names it. A damaged blob that is no document stays where it is referred to, and
  // hinders nothing.
  Collected collect(std::chrono::seconds older_than,
                    std::chrono::seconds unreferenced_age = std::chrono::hours(1));

  struct Damage {
    Digest digest;
    std::string why;
  };
  // Rereads every blob, and checks that all that images refer to is there. What is damaged is
  // remembered in cache/damaged and reads as EIO until a good copy is imported. `progress` is
  // called with bytes done and bytes in all. What is removed, collected or imported meanwhile, also
  // by other processes, is no damage.
  std::vector<Damage> verify(
      const std::function<void(std::uint64_t done, std::uint64_t total)>& progress = {});

  // The digests that an image refers to, itself included, through nested indexes; those that are
  // absent too. Throws Error when a document is there and cannot be read.
  [[nodiscard]] std::vector<Descriptor> referenced(const Descriptor& image) const;
  // Those of them that a copy of the image holds: platforms of an index and foreign layers only
  // when they are there, all else also when it is absent. Throws what referenced() does.
  [[nodiscard]] std::vector<Descriptor> needed(const Descriptor& image) const;

 private:
  struct State;
  explicit Store(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace imagefs::blobstore
