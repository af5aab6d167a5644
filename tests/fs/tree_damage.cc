#include <boost/test/unit_test.hpp>
#include <cerrno>

#include "tests/fs/tree_fixture.h"

using namespace imagefs;
using namespace imagefs::tests;

namespace {

constexpr auto kName = "docker.io/library/busybox:1.36";
const std::string kPath = std::string("images/") + kName;

}  // namespace

BOOST_FIXTURE_TEST_SUITE(tree_damage, TreeFixture)

BOOST_AUTO_TEST_CASE(a_damaged_config_reads_as_eio) {
  const MadeImage image = add_image(kName);
  damage_blob(image.config);
  const auto mount = tree();
  BOOST_TEST(errno_of([&] { (void)walk(*mount, kPath + "/config.json")->open(); }) == EIO);
  BOOST_TEST(read_all(*walk(*mount, kPath + "/manifest.json")).size() > 0U);
}

BOOST_AUTO_TEST_CASE(an_image_whose_manifest_is_damaged_is_listed_and_reads_as_eio) {
  const MadeImage image = add_image(kName);
  damage_blob(image.descriptor.digest);
  const auto mount = tree();
  BOOST_TEST(names(*walk(*mount, "images/docker.io/library")) ==
             std::vector<std::string>{"busybox:1.36"});
  const fs::NodePtr directory = walk(*mount, kPath);
  BOOST_TEST(directory->attributes().st_nlink == 3U);
  BOOST_TEST(errno_of([&] { (void)directory->lookup("manifest.json"); }) == EIO);
  BOOST_TEST(errno_of([&] { directory->list(0, [](const auto&) { return true; }); }) == EIO);
}

BOOST_AUTO_TEST_CASE(a_layer_of_another_size_than_its_descriptor_says_reads_as_eio) {
  const MadeImage image = add_image(kName);
  const auto mount = tree();
  const fs::NodePtr layer = walk(*mount, kPath)->lookup(image.layers[0].hex());
  std::filesystem::resize_file(blob_path(image.layers[0]), 3);
  BOOST_TEST(errno_of([&] { (void)layer->open(); }) == EIO);
}

BOOST_AUTO_TEST_CASE(a_blob_that_verify_found_damaged_reads_as_eio) {
  const MadeImage image = add_image(kName);
  damage_blob(image.layers[0]);
  BOOST_TEST(store->verify().size() == 1U);
  const auto mount = tree();
  const fs::NodePtr layer = follow(*mount, kPath + "/layers/00");
  BOOST_REQUIRE(layer);
  BOOST_TEST(errno_of([&] { (void)layer->open(); }) == EIO);
}

BOOST_AUTO_TEST_CASE(a_blob_that_is_gone_is_stale_and_an_open_one_stays_readable) {
  const MadeImage image = add_image(kName);
  const auto mount = tree();
  const fs::NodePtr config = walk(*mount, kPath + "/config.json");
  const fs::ContentPtr open = config->open();
  remove_blob(image.config);
  BOOST_TEST(errno_of([&] { (void)config->open(); }) == ESTALE);
  BOOST_TEST(walk(*mount, kPath + "/config.json") == nullptr);
  std::vector<std::byte> bytes(open->size());
  BOOST_TEST(open->read(bytes, 0) == bytes.size());
  BOOST_TEST(open->read(bytes, open->size()) == 0U);
}

BOOST_AUTO_TEST_CASE(an_image_that_is_listed_and_whose_manifest_is_gone_reads_as_eio) {
  const MadeImage image = add_image(kName);
  remove_blob(image.descriptor.digest);
  const auto mount = tree();
  const fs::NodePtr directory = walk(*mount, kPath);
  BOOST_TEST(errno_of([&] { (void)directory->lookup("config.json"); }) == EIO);
  BOOST_TEST(errno_of([&] { (void)directory->lookup(image.config.hex()); }) == EIO);
  BOOST_TEST(errno_of([&] { directory->list(0, [](const auto&) { return true; }); }) == EIO);
}

BOOST_AUTO_TEST_CASE(an_index_that_is_listed_and_gone_reads_as_eio) {
  const blobstore::Descriptor index = make_index({make_image("only").descriptor});
  add(index, kName);
  remove_blob(index.digest);
  const auto mount = tree();
  const fs::NodePtr directory = walk(*mount, kPath);
  BOOST_TEST(errno_of([&] { (void)directory->lookup("platforms"); }) == EIO);
  BOOST_TEST(errno_of([&] { directory->list(0, [](const auto&) { return true; }); }) == EIO);
}

BOOST_AUTO_TEST_CASE(an_image_that_was_removed_and_collected_is_stale) {
  const MadeImage image = add_image(kName);
  const auto mount = tree();
  const fs::NodePtr directory = walk(*mount, kPath);
  remove(kName);
  remove_blob(image.descriptor.digest);
  mount->reload();
  BOOST_TEST(errno_of([&] { (void)directory->lookup("config.json"); }) == ESTALE);
  BOOST_TEST(errno_of([&] { directory->list(0, [](const auto&) { return true; }); }) == ESTALE);
}

BOOST_AUTO_TEST_CASE(a_symlink_in_the_place_of_a_blob_is_not_followed) {
  const MadeImage image = add_image(kName);
  remove_blob(image.layers[0]);
  std::filesystem::create_symlink("/etc/passwd", blob_path(image.layers[0]));
  const auto mount = tree();
  BOOST_TEST(walk(*mount, "blobs/sha256/" + image.layers[0].hex()) == nullptr);
  BOOST_TEST(walk(*mount, kPath)->lookup(image.layers[0].hex()) == nullptr);
}

BOOST_AUTO_TEST_CASE(a_blobs_directory_that_leads_elsewhere_is_not_followed) {
  const MadeImage image = add_image(kName);
  const auto mount = tree();
  std::filesystem::rename(store->path() / "blobs/sha256", store->path() / "elsewhere");
  std::filesystem::create_directory_symlink("../elsewhere", store->path() / "blobs/sha256");
  BOOST_TEST(walk(*mount, "blobs/sha256/" + image.config.hex()) == nullptr);
}

BOOST_AUTO_TEST_SUITE_END()
