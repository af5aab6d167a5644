// A store of a test's own, and images to put there.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "blobstore/index.h"
#include "blobstore/store.h"
#include "tests/support/temporary_directory.h"

namespace imagefs::blobstore {

inline constexpr auto kThen = "2001-02-03T04:05:06Z";
inline constexpr auto kNow = "2026-01-02T03:04:05Z";

// An image whose blobs are held and not committed.
struct TestImage {
  std::vector<HeldBlob> blobs;  // layer, config, manifest
  Descriptor descriptor;

  [[nodiscard]] const Digest& layer() const { return blobs.at(0).digest; }
  [[nodiscard]] const Digest& manifest() const { return blobs.at(2).digest; }
  [[nodiscard]] std::vector<const HeldBlob*> pointers() const;
  [[nodiscard]] Image named(const std::string& name, const std::string& imported = kThen) const;
  [[nodiscard]] Image untagged(const std::string& imported = kThen) const;
};

class StoreFixture {
 public:
  [[nodiscard]] std::shared_ptr<Store> open(
      Store::Access access = Store::Access::read_write) const {
    return Store::open(path, access);
  }
  [[nodiscard]] std::filesystem::path blob_path(const Digest& digest) const;
  // All files below the store but `lock`, with their bytes.
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> files() const;

  tests::TemporaryDirectory directory;
  std::filesystem::path path = directory.path() / "store";
};

[[nodiscard]] HeldBlob write(Store& store, std::string_view bytes);
// `content` makes images differ.
[[nodiscard]] TestImage make_image(Store& store, const std::string& content);
void add(Store& store, const TestImage& image, const std::string& name);
[[nodiscard]] std::string read_file(const std::filesystem::path& path);
void write_file(const std::filesystem::path& path, std::string_view bytes);
// Changes one byte of a file, whatever its mode.
void flip_byte(const std::filesystem::path& path);
// The errno value of the Error that `action` throws; 0: none.
template <typename Action>
[[nodiscard]] int errno_of(Action action);

}  // namespace imagefs::blobstore

#include "blobstore/error.h"

template <typename Action>
int imagefs::blobstore::errno_of(Action action) {
  try {
    action();
    return 0;
  } catch (const Error& error) {
    return error.errno_value();
  }
}
