// A blob on its way into the store.
//
//   Writer writer = store.write_blob();
//   writer.append(chunk);                      // as often as bytes arrive
//   HeldBlob layer = writer.finish();
//   store.commit(blobs, edit);                 // now it exists
//
// Until the commit a blob is an unnamed file (O_TMPFILE; a named one under blobs/ on filesystems
// without, swept when the store is opened next) that its HeldBlob keeps alive: a crash, an
// exception or a forgotten commit leaves nothing behind. After it the blob is immutable and mode
// 0444.
//
// Thread safety: one Writer belongs to one thread at a time. Any number of Writers may be open on
// one Store.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "blobstore/digest.h"
#include "blobstore/unique_fd.h"

namespace imagefs::blobstore {

// A blob that is whole and on disk, whether or not a commit has named it. The descriptor is a
// lease: neither a GC nor another process can take the bytes away while it is open.
struct HeldBlob {
  Digest digest;
  std::uint64_t size;  // bytes
  UniqueFd fd;         // readable

  // Reads all of it. Throws Error{EFBIG} when it is larger than `limit`, Error{EIO}.
  [[nodiscard]] std::string read_all(std::uint64_t limit) const;
};

class Writer {
 public:
  Writer(Writer&&) noexcept;
  Writer& operator=(Writer&&) noexcept;
  ~Writer();

  // Appends all of `bytes`; there are no short writes. Hashing and writing go on at the same time,
  // both are done when it returns. Throws Error{ENOSPC, EIO, EDQUOT}.
  void append(std::span<const std::byte> bytes);
  // Syncs the bytes to disk. The Writer is spent, also when this throws what fdatasync(2) says.
  [[nodiscard]] HeldBlob finish();
  // Bytes accepted so far.
  [[nodiscard]] std::uint64_t size() const noexcept;

 private:
  friend class Store;
  struct State;
  explicit Writer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace imagefs::blobstore
