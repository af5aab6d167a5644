// A commit's changes to the disk, undone unless it is finished.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "blobstore/digest.h"
#include "blobstore/directory.h"
#include "blobstore/writer.h"

namespace imagefs::blobstore {

// What a commit has to do for its blobs. Each digest stands once, in one of the three.
struct Missing {
  std::vector<const HeldBlob*> absent;
  std::vector<const HeldBlob*> damaged;  // the store's copy is known to be bad
  // It is there, but perhaps not on disk: other tools sync nothing.
  std::vector<const HeldBlob*> standing;

  [[nodiscard]] bool empty() const noexcept {
    return absent.empty() && damaged.empty() && standing.empty();
  }
};
// Throws Error{EIO} when something else than a file has the name of a blob.
[[nodiscard]] Missing missing_blobs(const Directory& directory,
                                    const std::vector<const HeldBlob*>& blobs);

// The store's lock is held as long as it lives.
class Transaction {
 public:
  explicit Transaction(const Directory& directory);
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  // Undoes what was done, unless finish() returned. What cannot be undone stays listed in the
  // intent.
  ~Transaction();

  void add_blobs(const Missing& missing);  // once
  void replace_index(const std::string& bytes);
  // The index stays as it is. Whoever wrote it may have been killed before it was on disk.
  void keep_index();
  void finish();

 private:
  void link(const HeldBlob& blob);
  void replace(const HeldBlob& blob);
  void unmark(const std::vector<const HeldBlob*>& healed);
  void undo();
  [[nodiscard]] bool try_undo() noexcept;
  void restore_index();

  const Directory& directory_;
  std::vector<Digest> linked_;
  std::optional<std::string> old_index_;  // nothing: there was no index.json
  bool index_touched_ = false;
  bool finished_ = false;
};

}  // namespace imagefs::blobstore
