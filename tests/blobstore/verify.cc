#include <atomic>
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "blobstore/store.h"
#include "tests/blobstore/store_fixture.h"

namespace imagefs::blobstore {
namespace {

const std::string kName = "docker.io/library/busybox:1";

BOOST_FIXTURE_TEST_SUITE(verifications, StoreFixture)

BOOST_AUTO_TEST_CASE(a_sound_store_verifies_with_progress) {
  const auto store = open();
  add(*store, make_image(*store, "1"), kName);
  std::uint64_t last = 0;
  std::uint64_t whole = 0;
  const auto damages = store->verify([&](std::uint64_t done, std::uint64_t total) {
    BOOST_TEST(done > last);
    last = done;
    whole = total;
  });
  BOOST_TEST(damages.empty());
  BOOST_TEST(last == whole);
  BOOST_TEST(whole > 0U);
}

BOOST_AUTO_TEST_CASE(a_flipped_byte_is_found_and_reads_as_an_error_until_it_is_healed) {
  const auto store = open();
  const auto other = open();
  const TestImage image = make_image(*store, "1");
  add(*store, image, kName);
  flip_byte(blob_path(image.layer()));
  BOOST_TEST(store->open_blob(image.layer()).has_value());

  const auto damages = store->verify();
  BOOST_TEST_REQUIRE(damages.size() == 1U);
  BOOST_TEST(damages[0].digest.str() == image.layer().str());
  BOOST_TEST(damages[0].why.starts_with("its bytes hash to sha256:"), damages[0].why);
  for (const auto& each : {store, other, open(), open(Store::Access::read_only)}) {
    BOOST_TEST(errno_of([&] { (void)each->open_blob(image.layer()); }) == EIO);
    BOOST_TEST(!each->hold(image.layer()).has_value());
  }

  add(*other, make_image(*other, "1"), kName);
  for (const auto& each : {store, other, open()}) {
    BOOST_TEST(each->read_blob(image.layer(), 100).value() == "layer 1");
  }
  BOOST_TEST(store->verify().empty());
  BOOST_TEST(!std::filesystem::exists(path / "cache" / "damaged"));
}

BOOST_AUTO_TEST_CASE(a_blob_that_was_repaired_by_hand_is_sound_again) {
  const auto store = open();
  const TestImage image = make_image(*store, "1");
  add(*store, image, kName);
  flip_byte(blob_path(image.layer()));
  BOOST_TEST(store->verify().size() == 1U);
  flip_byte(blob_path(image.layer()));
  BOOST_TEST(store->verify().empty());
  BOOST_TEST(store->open_blob(image.layer()).has_value());
}

// Runs `action` once, while the store is being verified.
std::vector<Store::Damage> verify_with(Store& store, const std::function<void()>& action) {
  bool done = false;
  return store.verify([&](std::uint64_t, std::uint64_t) {
    if (!std::exchange(done, true)) action();
  });
}

BOOST_AUTO_TEST_CASE(a_mark_that_another_sets_meanwhile_stays) {
  const auto store = open();
  const TestImage image = make_image(*store, "1");
  add(*store, image, kName);
  const auto mark_all = [&] {
    std::string marks;
    for (const Digest& digest : store->blobs()) marks += digest.str() + "\n";
    std::filesystem::create_directories(path / "cache");
    write_file(path / "cache" / "damaged", marks);
  };
  BOOST_TEST(verify_with(*store, mark_all).empty());
  BOOST_TEST(errno_of([&] { (void)store->open_blob(image.layer()); }) == EIO);
  BOOST_TEST(store->verify().empty());
  BOOST_TEST(store->open_blob(image.layer()).has_value());
}

BOOST_AUTO_TEST_CASE(what_an_import_heals_meanwhile_is_not_marked) {
  const auto store = open();
  const TestImage image = make_image(*store, "1");
  add(*store, image, kName);
  for (const Digest& digest : store->blobs()) flip_byte(blob_path(digest));
  BOOST_TEST(store->verify().size() == 3U);
  BOOST_TEST(verify_with(*store, [&] { add(*store, make_image(*store, "1"), kName); }).empty());
  BOOST_TEST(store->open_blob(image.layer()).has_value());
}

BOOST_AUTO_TEST_CASE(a_blob_that_comes_back_after_it_was_removed_is_not_marked) {
  const auto store = open();
  const TestImage image = make_image(*store, "1");
  add(*store, image, kName);
  flip_byte(blob_path(image.layer()));
  BOOST_TEST(store->verify().size() == 1U);
  std::filesystem::remove(blob_path(image.layer()));
  add(*store, make_image(*store, "1"), kName);
  BOOST_TEST(store->open_blob(image.layer()).has_value());
}

BOOST_AUTO_TEST_CASE(a_read_only_store_remembers_damage_as_long_as_it_is_open) {
  const TestImage image = [&] {
    const auto store = open();
    TestImage made = make_image(*store, "1");
    add(*store, made, kName);
    return made;
  }();
  flip_byte(blob_path(image.layer()));
  const auto before = files();
  const auto store = open(Store::Access::read_only);
  BOOST_TEST(store->verify().size() == 1U);
  BOOST_TEST(errno_of([&] { (void)store->open_blob(image.layer()); }) == EIO);
  BOOST_TEST((files() == before));
}

BOOST_AUTO_TEST_CASE(a_missing_blob_is_found) {
  const auto store = open();
  const TestImage image = make_image(*store, "1");
  add(*store, image, kName);
  std::filesystem::remove(blob_path(image.layer()));
  const auto damages = store->verify();
  BOOST_TEST_REQUIRE(damages.size() == 1U);
  BOOST_TEST(damages[0].digest.str() == image.layer().str());
  BOOST_TEST(damages[0].why ==
             "is missing, but the document " + image.manifest().str() + " refers to it");
  add(*store, image, kName);
  BOOST_TEST(store->verify().empty());
}

// An image whose manifest takes a while to read.
void add_slow_image(Store& store) {
  const HeldBlob config = write(store, "{}");
  const HeldBlob manifest =
      write(store, R"({"schemaVersion":2,"config":{"mediaType":"x","digest":")" +
                       config.digest.str() + R"(","size":2},"layers":[],"annotations":{"x":")" +
                       std::string(8 << 20, 'x') + "\"}}");
  const Descriptor descriptor{media_type::kOciManifest, manifest.digest, manifest.size};
  store.commit({&config, &manifest}, [&](Index& index) {
    index.add({.descriptor = descriptor, .name = {}, .imported = kNow, .superseded = {}}, kNow);
  });
}

// Imports an image, takes its name away and then its blobs, again and again, until it goes.
class Churn {
 public:
  explicit Churn(const StoreFixture& fixture) : fixture_(fixture), thread_([this] { run(); }) {}
  Churn(const Churn&) = delete;
  Churn& operator=(const Churn&) = delete;
  ~Churn() {
    ended_ = true;
    thread_.join();
  }

  [[nodiscard]] int rounds() const { return rounds_; }

 private:
  void run() {
    const auto store = fixture_.open();
    const TestImage image = make_image(*store, "moving");
    for (; !ended_; ++rounds_) {
      add(*store, image, kName);
      store->commit({}, [](Index& index) { index.remove_name(kName); });
      for (const HeldBlob& blob : image.blobs) {
        std::filesystem::remove(fixture_.blob_path(blob.digest));
      }
    }
  }

  const StoreFixture& fixture_;
  std::atomic<bool> ended_ = false;
  std::atomic<int> rounds_ = 0;
  std::thread thread_;
};

BOOST_AUTO_TEST_CASE(what_goes_with_its_image_meanwhile_is_not_missing) {
  const auto store = open();
  const auto reader = open(Store::Access::read_only);
  add_slow_image(*store);
  const Churn churn(*this);
  while (churn.rounds() < 300) {
    for (const auto& each : {store, reader}) {
      for (const Store::Damage& damage : each->verify()) {
        BOOST_FAIL(damage.digest.str() + ": " + damage.why);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(something_else_of_a_blobs_name_is_found) {
  const auto store = open();
  std::filesystem::create_symlink("/etc/passwd", blob_path(sha256("x")));
  std::filesystem::create_directory(blob_path(sha256("y")));
  BOOST_TEST(store->verify().size() == 2U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace imagefs::blobstore
