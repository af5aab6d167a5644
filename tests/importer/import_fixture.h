// A store of a test's own, and imports of byte strings into it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "blobstore/error.h"
#include "blobstore/store.h"
#include "importer/importer.h"
#include "tests/support/temporary_directory.h"

namespace imagefs::tests {

// Gives out `bytes` in pieces; `on_next` is called before each.
class StringSource final : public importer::ByteSource {
 public:
  explicit StringSource(std::string bytes, std::size_t piece = 1 << 20)
      : bytes_(std::move(bytes)), piece_(piece) {}
  [[nodiscard]] std::span<const std::byte> next() override;

  std::function<void(std::size_t given)> on_next = {};

 private:
  const std::string bytes_;
  const std::size_t piece_;
  std::size_t given_ = 0;
};

class ImportFixture {
 public:
  importer::Outcome import(const std::string& bytes, const importer::Options& options = {},
                           std::size_t piece = 1 << 20);
  // The Error that the import throws; checks that the store is as it was before. errno 0: none.
  Error refusal(const std::string& bytes, const importer::Options& options = {},
                std::size_t piece = 1 << 20);
  // Paths below the store and the bytes of its index.json.
  [[nodiscard]] std::vector<std::string> contents() const;
  [[nodiscard]] std::string blob(const std::string& digest) const;
  [[nodiscard]] std::vector<std::string> names() const;

  TemporaryDirectory directory;
  std::shared_ptr<blobstore::Store> store =
      blobstore::Store::open(directory.path() / "store", blobstore::Store::Access::read_write);
};

// Whether the error has this class and its sentence holds `text`; prints it otherwise.
[[nodiscard]] bool says(const Error& error, int errno_value, const std::string& text);

}  // namespace imagefs::tests
