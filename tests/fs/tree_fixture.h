// A store in a temporary directory with images of our making, its tree, and ways through it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "blobstore/error.h"
#include "blobstore/store.h"
#include "fs/tree.h"
#include "tests/support/temporary_directory.h"

namespace imagefs::tests {

inline constexpr auto kImported = "2024-05-01T12:00:00Z";
inline constexpr std::time_t kImportedTime = 1714564800;

struct MadeImage {
  blobstore::Descriptor descriptor;  // of the manifest, with its platform
  blobstore::Digest config;
  std::vector<blobstore::Digest> layers;
};

class TreeFixture {
  TemporaryDirectory temporary_directory_;  // first, so that it goes last

 public:
  TreeFixture();

  // Writes an image's blobs, and commits them without a name; `seed` makes its bytes its own.
  MadeImage make_image(const std::string& seed,
                       const blobstore::Platform& platform = {.os = "linux",
                                                              .architecture = "amd64"},
                       std::size_t layer_count = 2);
  // Writes a blob, and commits it without a name.
  blobstore::Descriptor make_blob(const std::string& media_type, const std::string& bytes);
  // An index of manifests, which need not be there.
  blobstore::Descriptor make_index(const std::vector<blobstore::Descriptor>& manifests);
  // Nothing: untagged.
  void add(const blobstore::Descriptor& descriptor, const std::optional<std::string>& name,
           const std::string& imported = kImported);
  void remove(const std::string& name);
  // One image of that name, made and added.
  MadeImage add_image(const std::string& name, const std::string& seed = "seed");

  [[nodiscard]] std::filesystem::path blob_path(const blobstore::Digest& digest) const;
  void remove_blob(const blobstore::Digest& digest) const;
  // Changes one byte of a blob on disk, and not its size.
  void damage_blob(const blobstore::Digest& digest) const;

  [[nodiscard]] fs::TreeOptions options() const;
  [[nodiscard]] std::unique_ptr<fs::Tree> tree() const;

  std::shared_ptr<blobstore::Store> store;

 private:
  // Writes a blob that the next commit() makes real.
  blobstore::Descriptor write(const std::string& media_type, const std::string& bytes);
  void commit();

  std::vector<blobstore::HeldBlob> written_;
};

// What a path leads to, component by component, symlinks not followed; null when it leads nowhere.
[[nodiscard]] fs::NodePtr walk(const fs::Tree& tree, const std::string& path);
// The same with symlinks followed, as a kernel does.
[[nodiscard]] fs::NodePtr follow(const fs::Tree& tree, const std::string& path);
// The names of a directory, sorted; listed in pages of `page` names.
[[nodiscard]] std::vector<std::string> names(const fs::Node& directory, std::size_t page = 3);
[[nodiscard]] std::string read_all(const fs::Node& file);
// "sha256:…" of its bytes.
[[nodiscard]] std::string digest_of(const fs::Node& file);
// The errno value of the Error that `action` throws; 0: none.
template <typename Action>
int errno_of(Action&& action) {
  try {
    action();
    return 0;
  } catch (const Error& error) {
    return error.errno_value();
  }
}

}  // namespace imagefs::tests
