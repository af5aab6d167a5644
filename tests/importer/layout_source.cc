#include "importer/layout_source.h"

#include <fcntl.h>

#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <filesystem>
#include <fstream>

#include "tests/importer/import_fixture.h"
#include "tests/support/image_archive.h"

namespace imagefs::tests {
namespace {

namespace fs = std::filesystem;

const std::string kLayer = layer_with("file", std::string(100'000, 'l'));
const std::string kConfig = config_for({kLayer});
const std::string kManifest = oci_manifest(kConfig, {kLayer});

struct Layout : ImportFixture {
  Layout() {
    fs::create_directories(path / "blobs/sha256");
    write("oci-layout", R"({"imageLayoutVersion":"1.0.0"})");
    write("index.json",
          oci_index({descriptor_of(
              kOciManifestType, kManifest,
              R"(,"annotations":{"org.opencontainers.image.ref.name":"oci.example/x:1"})")}));
    for (const std::string& bytes : {kLayer, kConfig, kManifest}) write(blob_of(bytes), bytes);
  }

  static std::string blob_of(const std::string& bytes) { return "blobs/sha256/" + hex_of(bytes); }
  void write(const std::string& name, const std::string& bytes) const {
    std::ofstream(path / name, std::ios::binary) << bytes;
  }
  [[nodiscard]] importer::LayoutSource source() const {
    return importer::LayoutSource(UniqueFd(::open(path.c_str(), O_RDONLY | O_CLOEXEC)));
  }
  Error refusal_of_layout() {
    try {
      auto layout = source();
      (void)importer::Importer(*store, {}).run(layout);
    } catch (const Error& error) {
      return error;
    }
    return {0, "not refused"};
  }

  fs::path path = directory.path() / "layout";
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(layout_source, Layout)

BOOST_AUTO_TEST_CASE(a_layout_is_imported_like_its_archive) {
  auto layout = source();
  const auto outcome = importer::Importer(*store, {}).run(layout);
  BOOST_TEST(outcome.images.at(0).descriptor.digest.str() == digest_of(kManifest));
  BOOST_TEST(blob(digest_of(kLayer)) == kLayer);
  BOOST_TEST(names() == std::vector<std::string>{"oci.example/x:1"},
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(the_size_is_that_of_all_bytes) {
  auto layout = source();
  std::uint64_t size = 0;
  for (auto bytes = layout.next(); !bytes.empty(); bytes = layout.next()) size += bytes.size();
  BOOST_TEST(size == layout.size());
  BOOST_TEST(layout.next().empty());
}

BOOST_AUTO_TEST_CASE(a_directory_that_is_no_layout_is_refused) {
  fs::remove(path / "oci-layout");
  BOOST_TEST(says(refusal_of_layout(), EINVAL, "without oci-layout"));
}

BOOST_AUTO_TEST_CASE(an_absent_blob_is_named) {
  fs::remove(path / blob_of(kLayer));
  BOOST_TEST(refusal_of_layout().sentence().find(hex_of(kLayer)) != std::string::npos);
  BOOST_TEST(names().empty());
}

BOOST_AUTO_TEST_CASE(a_symbolic_link_is_not_followed) {
  fs::rename(path / blob_of(kLayer), directory.path() / "elsewhere");
  fs::create_symlink(directory.path() / "elsewhere", path / blob_of(kLayer));
  BOOST_TEST(says(refusal_of_layout(), EIO, hex_of(kLayer)));
}

BOOST_AUTO_TEST_CASE(a_file_that_shrinks_while_it_is_read_is_an_error) {
  auto layout = source();
  fs::resize_file(path / blob_of(kLayer), 10);
  BOOST_CHECK_EXCEPTION((void)importer::Importer(*store, {}).run(layout), Error,
                        [](const Error& error) { return says(error, EIO, "was cut"); });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace imagefs::tests
