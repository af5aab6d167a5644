// Imports one image archive: a stream of bytes becomes blobs and names in a store.
//
//   Importer importer(*store, {.file_name = "busybox.tar"});
//   Outcome outcome = importer.run(source);     // throws Error; then nothing changed
//
// The stream is read once, from its start to its end: no seeking, no spool; memory is bounded by
// Limits and does not depend on the archive's size. What compression it has is seen by its content.
//
// Thread safety: run() belongs to one thread; progress() may be called from any, while it runs;
// complete() only from within the source's next(), which run() calls.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "blobstore/store.h"
#include "importer/byte_source.h"
#include "importer/limits.h"

namespace imagefs::importer {

struct Options {
  Limits limits = {};
  std::string file_name = {};            // its stem gives a bare OCI tag its repository
  std::optional<std::string> name = {};  // replaces the names of an archive with one image
};

struct ImportedImage {
  std::vector<std::string> names;  // normalised; empty: untagged
  blobstore::Descriptor descriptor;
};

struct Outcome {
  std::vector<ImportedImage> images;
  std::vector<std::string> notes;  // odd things that were left out or forgiven, a sentence each
};

struct Progress {
  std::uint64_t bytes = 0;  // of the archive, as it is stored
  std::string entry;        // the entry that is being read
};

class Importer {
 public:
  Importer(blobstore::Store& store, Options options);
  ~Importer();

  // Throws Error by the classes of errno: ENODATA truncated; EBADMSG digest, size or diff ID
  // mismatch, corrupt archive; EINVAL no image archive, bad document; EOPNOTSUPP a format that is
  // not supported; EFBIG over a limit; ENOSPC store full.
  Outcome run(ByteSource& source);
  // run() in two steps. After the first the archive is found good and its layers are on disk, and
  // nobody sees it; the second is quick. `file_name`: what the archive is called by then.
  void prepare(ByteSource& source);
  Outcome publish(const std::string& file_name);
  // Whether the archive would import if the stream ended here: the end-of-archive marker has
  // passed, or all that its documents refer to is there and whole. True also when run() would
  // refuse it for what it is, not for what is missing.
  [[nodiscard]] bool complete() const;
  [[nodiscard]] Progress progress() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace imagefs::importer
