// What an import leaves in cache/index/.
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <cstdint>
#include <filesystem>

#include "blobstore/error.h"
#include "importer/layer_index_file.h"
#include "tests/importer/import_fixture.h"
#include "tests/support/compress.h"
#include "tests/support/image_archive.h"

namespace imagefs::tests {
namespace {

using importer::Compression;
using importer::Outcome;

const std::string kSmall = layer_with("small", "s");
const std::string kLarge = layer_with("large", std::string(200'000, 'l'));

std::string archive_of(const std::vector<std::string>& stored,
                       const std::vector<std::string>& plain) {
  LayerWriter tar;
  std::vector<std::string> layers;
  for (std::size_t i = 0; i < stored.size(); ++i) {
    layers.push_back("layer" + std::to_string(i));
    tar.file(layers.back(), stored[i]);
  }
  return tar.file("c.json", config_for(plain))
      .file("manifest.json", "[" + docker_entry("c.json", R"(["x:1"])", layers) + "]")
      .str();
}

class IndexFixture : public ImportFixture {
 public:
  [[nodiscard]] std::string only_name_in(const std::string& layer) const {
    const auto digest = blobstore::Digest::parse(digest_of(layer)).value();
    const auto index = importer::open_layer_index(store->directory_fd(), digest);
    if (!index) return "no index";
    BOOST_TEST_REQUIRE(index->records().size() == 1U);
    return std::string(index->name(index->records()[0]));
  }
};

BOOST_FIXTURE_TEST_SUITE(layer_indexes, IndexFixture)

BOOST_AUTO_TEST_CASE(an_import_leaves_the_index_of_each_layer) {
  const std::string compressed = test::compress(Compression::gzip, kLarge);
  import(archive_of({kSmall, kLarge, compressed}, {kSmall, kLarge, kLarge}));
  BOOST_TEST(only_name_in(kSmall) == "small");
  BOOST_TEST(only_name_in(kLarge) == "large");
  BOOST_TEST(only_name_in(compressed) == "large");
}

BOOST_AUTO_TEST_CASE(another_import_puts_a_damaged_index_right) {
  import(archive_of({kSmall, kLarge}, {kSmall, kLarge}));
  for (const std::string& layer : {kSmall, kLarge}) {
    std::filesystem::resize_file(store->path() / "cache" / "index" / hex_of(layer), 100);
    BOOST_TEST(only_name_in(layer) == "no index");
  }
  import(archive_of({kSmall, kLarge}, {kSmall, kLarge}));
  BOOST_TEST(only_name_in(kSmall) == "small");
  BOOST_TEST(only_name_in(kLarge) == "large");
}

BOOST_AUTO_TEST_CASE(entries_that_rootfs_leaves_out_are_noted_and_the_layer_stays) {
  for (const std::string& data : {std::string("x"), std::string(200'000, 'x')}) {
    const std::string layer = LayerWriter().file("a/../b", data).str();
    const Outcome outcome = import(archive_of({layer}, {layer}));
    BOOST_TEST_REQUIRE(outcome.notes.size() == 1U);
    BOOST_TEST(outcome.notes[0].find("\"a/../b\"") != std::string::npos);
    BOOST_TEST((blob(digest_of(layer)) == layer));
  }
}

BOOST_AUTO_TEST_CASE(an_index_that_cannot_be_kept_does_not_fail_the_import) {
  std::filesystem::create_directories(store->path() / "cache");
  std::filesystem::create_symlink("/nowhere", store->path() / "cache" / "index");
  import(archive_of({kSmall}, {kSmall}));
  BOOST_TEST(only_name_in(kSmall) == "no index");
  BOOST_TEST(names().size() == 1U);
}

BOOST_AUTO_TEST_CASE(an_index_that_is_made_again_leaves_room_on_the_disk) {
  import(archive_of({kSmall}, {kSmall}));
  const auto blob = store->open_blob(blobstore::Digest::parse(digest_of(kSmall)).value()).value();
  const UniqueFd indexes = importer::open_index_directory(store->directory_fd());
  const auto rebuild = [&](int directory_fd, std::uint64_t min_free) {
    return importer::rebuild_layer_index(directory_fd, blob.get(), 1 << 20, [] {}, min_free);
  };
  BOOST_CHECK_EXCEPTION(rebuild(indexes.get(), UINT64_MAX), Error,
                        [](const Error& error) { return error.errno_value() == ENOSPC; });
  BOOST_TEST(importer::LayerIndex::open(rebuild(indexes.get(), 1).file.fd()) != nullptr);
  BOOST_TEST(importer::LayerIndex::open(rebuild(-1, UINT64_MAX).file.fd()) != nullptr);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace imagefs::tests
