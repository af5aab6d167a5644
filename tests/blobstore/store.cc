#include "blobstore/store.h"

#include <sys/stat.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <future>
#include <latch>
#include <string>
#include <vector>

#include "tests/blobstore/store_fixture.h"

namespace imagefs::blobstore {
namespace {

const std::string kName = "docker.io/library/busybox:1";

unsigned mode_of(const std::filesystem::path& path) {
  return static_cast<unsigned>(std::filesystem::status(path).permissions());
}

BOOST_FIXTURE_TEST_SUITE(stores, StoreFixture)

BOOST_AUTO_TEST_CASE(an_absent_directory_becomes_a_layout_parents_included) {
  path = directory.path() / "a" / "b" / "store";
  const ::mode_t mask = ::umask(022);
  const auto store = open();
  ::umask(mask);
  BOOST_TEST(read_file(path / "oci-layout") == R"({"imageLayoutVersion":"1.0.0"})");
  BOOST_TEST(Index(read_file(path / "index.json")).images().empty());
  BOOST_TEST(mode_of(path / "blobs" / "sha256") == 0755U);
  BOOST_TEST(mode_of(path / "index.json") == 0644U);
  BOOST_TEST(store->blobs().empty());
}

BOOST_AUTO_TEST_CASE(many_open_a_store_that_is_not_there_yet) {
  constexpr int kOpeners = 4;
  for (int round = 0; round < 100; ++round) {
    path = directory.path() / std::to_string(round);
    std::latch all_are_here(kOpeners);
    std::vector<std::future<std::string>> openers;
    for (int i = 0; i < kOpeners; ++i) {
      openers.push_back(std::async(std::launch::async, [&] {
        all_are_here.arrive_and_wait();
        return open()->index_bytes();
      }));
    }
    for (auto& opener : openers) BOOST_TEST(opener.get() == Index().bytes());
  }
}

BOOST_AUTO_TEST_CASE(what_is_no_layout_is_not_opened) {
  using enum Store::Access;
  BOOST_TEST(errno_of([&] { (void)open(read_only); }) == ENOENT);
  BOOST_TEST(errno_of([&] { (void)open(read_write_existing); }) == ENOENT);
  BOOST_TEST(!std::filesystem::exists(path));
  write_file(path, "a file");
  BOOST_TEST(errno_of([&] { (void)open(); }) == ENOTDIR);
  std::filesystem::remove(path);
  std::filesystem::create_directory(path);
  BOOST_TEST(errno_of([&] { (void)open(read_only); }) == EINVAL);
  BOOST_TEST(errno_of([&] { (void)open(read_write_existing); }) == EINVAL);
  BOOST_TEST(std::filesystem::is_empty(path));
  write_file(path / "letter.txt", "dear");
  BOOST_TEST(errno_of([&] { (void)open(); }) == EINVAL);
  BOOST_TEST(!std::filesystem::exists(path / "oci-layout"));
}

BOOST_AUTO_TEST_CASE(another_layout_version_is_not_opened) {
  (void)open();
  for (const char* text : {R"({"imageLayoutVersion":"2.0.0"})", "{}", "[]", "", "x"}) {
    write_file(path / "oci-layout", text);
    BOOST_TEST(errno_of([&] { (void)open(); }) == EINVAL, text);
  }
}

BOOST_AUTO_TEST_CASE(a_layout_whose_making_was_cut_short_is_completed) {
  std::filesystem::create_directory(path);
  write_file(path / "lock", "");
  write_file(path / ".oci-layout.new", "{");
  BOOST_TEST(open()->read_index().images().empty());
  std::filesystem::remove(path / "index.json");
  std::filesystem::remove_all(path / "blobs");
  BOOST_TEST(open()->read_index().images().empty());
}

BOOST_AUTO_TEST_CASE(symbolic_links_in_a_store_are_not_followed) {
  const auto store = open();
  const TestImage image = make_image(*store, "1");
  add(*store, image, kName);
  const auto swap = [](const std::filesystem::path& file) {
    std::filesystem::rename(file, file.string() + ".away");
    std::filesystem::create_symlink(file.string() + ".away", file);
  };
  swap(blob_path(image.layer()));
  BOOST_TEST(errno_of([&] { (void)store->open_blob(image.layer()); }) == EIO);
  BOOST_TEST(errno_of([&] { (void)store->hold(image.layer()); }) == EIO);
  swap(path / "index.json");
  BOOST_TEST(errno_of([&] { (void)store->read_index(); }) == EIO);
  swap(path / "blobs" / "sha256");
  BOOST_TEST(errno_of([&] { (void)open(); }) == EIO);
}

BOOST_AUTO_TEST_CASE(blobs_are_read_and_checked) {
  const auto store = open();
  const TestImage image = make_image(*store, "1");
  BOOST_TEST(!store->open_blob(image.layer()).has_value());
  add(*store, image, kName);
  BOOST_TEST(store->read_blob(image.layer(), 100).value() == "layer 1");
  BOOST_TEST(store->hold(image.layer())->size == 7U);
  BOOST_TEST(store->hold(image.layer())->read_all(7) == "layer 1");
  BOOST_TEST(store->blobs().size() == 3U);
  BOOST_TEST(mode_of(blob_path(image.layer())) == 0444U);
  BOOST_TEST(errno_of([&] { (void)store->read_blob(image.layer(), 6); }) == EFBIG);
  BOOST_TEST(!store->read_blob(sha256("absent"), 100).has_value());
  flip_byte(blob_path(image.layer()));
  BOOST_TEST(errno_of([&] { (void)store->read_blob(image.layer(), 100); }) == EIO);
}

BOOST_AUTO_TEST_CASE(a_read_only_store_reads_and_changes_nothing) {
  const auto writable = open();
  const TestImage image = make_image(*writable, "1");
  add(*writable, image, kName);
  std::filesystem::remove(path / "lock");
  write_file(path / "intent", image.layer().str() + "\n");
  const auto before = files();
  const auto store = open(Store::Access::read_only);
  BOOST_TEST(store->read_only());
  BOOST_TEST(store->read_index().images().size() == 1U);
  BOOST_TEST(store->read_blob(image.layer(), 100).value() == "layer 1");
  BOOST_TEST(store->verify().empty());
  BOOST_TEST(errno_of([&] { (void)store->write_blob(); }) == EROFS);
  BOOST_TEST(errno_of([&] { store->commit({}, [](Index&) {}); }) == EROFS);
  BOOST_TEST(errno_of([&] { store->collect(std::chrono::seconds(0)); }) == EROFS);
  BOOST_TEST((files() == before));
  BOOST_TEST(!std::filesystem::exists(path / "lock"));
}

BOOST_AUTO_TEST_CASE(an_index_that_is_being_rewritten_is_told_from_damage) {
  const auto store = open();
  write_file(path / "index.json", R"({"schemaVersion":2,"mani)");
  BOOST_TEST(errno_of([&] { (void)store->read_index(); }) == EBADMSG);
  BOOST_TEST(store->index_bytes() == R"({"schemaVersion":2,"mani)");
}

BOOST_AUTO_TEST_CASE(an_image_refers_to_its_blobs_through_indexes) {
  const auto store = open();
  TestImage image = make_image(*store, "1");
  const std::string list =
      R"({"schemaVersion":2,"manifests":[{"mediaType":")" + image.descriptor.media_type +
      R"(","digest":")" + image.manifest().str() + R"(","size":)" +
      std::to_string(image.descriptor.size) + R"(},{"mediaType":")" + media_type::kOciManifest +
      R"(","digest":")" + sha256("absent").str() + R"(","size":1}]})";
  image.blobs.push_back(write(*store, list));
  image.descriptor = {media_type::kOciIndex, image.blobs.back().digest, list.size()};
  add(*store, image, kName);
  BOOST_TEST(store->referenced(image.descriptor).size() == 5U);
  BOOST_TEST(store->collect(std::chrono::seconds(0), std::chrono::seconds(0)).blobs == 0U);
  BOOST_TEST(store->verify().empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace imagefs::blobstore
