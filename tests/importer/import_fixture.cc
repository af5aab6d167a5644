#include "tests/importer/import_fixture.h"

#include <boost/test/unit_test.hpp>

namespace imagefs::tests {

std::span<const std::byte> StringSource::next() {
  if (on_next) on_next(given_);
  const auto piece = std::as_bytes(std::span(bytes_)).subspan(given_);
  const auto part = piece.first(std::min(piece.size(), piece_));
  given_ += part.size();
  return part;
}

importer::Outcome ImportFixture::import(const std::string& bytes, const importer::Options& options,
                                        std::size_t piece) {
  StringSource source(bytes, piece);
  return importer::Importer(*store, options).run(source);
}

Error ImportFixture::refusal(const std::string& bytes, const importer::Options& options,
                             std::size_t piece) {
  const auto before = contents();
  try {
    import(bytes, options, piece);
  } catch (const Error& error) {
    BOOST_TEST(contents() == before, boost::test_tools::per_element());
    return error;
  }
  return Error(0, "imported");
}

std::vector<std::string> ImportFixture::contents() const {
  std::vector<std::string> all{store->index_bytes()};
  for (const auto& entry : std::filesystem::recursive_directory_iterator(store->path())) {
    all.push_back(entry.path().string());
  }
  std::sort(all.begin() + 1, all.end());
  return all;
}

std::string ImportFixture::blob(const std::string& digest) const {
  constexpr std::uint64_t kLimit = 1 << 30;
  return store->read_blob(blobstore::Digest::parse(digest).value(), kLimit).value();
}

std::vector<std::string> ImportFixture::names() const {
  std::vector<std::string> all;
  for (const auto& image : store->read_index().images()) all.push_back(image.name.value_or("-"));
  std::sort(all.begin(), all.end());
  return all;
}

bool says(const Error& error, int errno_value, const std::string& text) {
  const bool fits =
      error.errno_value() == errno_value && error.sentence().find(text) != std::string::npos;
  if (!fits) {
    BOOST_ERROR("not the expected error: " + error.sentence());
  }
  return fits;
}

}  // namespace imagefs::tests
