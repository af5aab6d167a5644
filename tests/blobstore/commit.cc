#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <string>
#include <thread>

#include "blobstore/error.h"
#include "blobstore/store.h"
#include "tests/blobstore/store_fixture.h"

namespace imagefs::blobstore {
namespace {

const std::string kName = "docker.io/library/busybox:1";
const std::string kOther = "docker.io/library/other:1";
constexpr std::chrono::seconds kAtOnce{0};

ino_t inode_of(const std::filesystem::path& path) {
  struct stat status{};
  BOOST_TEST_REQUIRE(::stat(path.c_str(), &status) == 0);
  return status.st_ino;
}

// The digest of the image of that name; empty: there is none.
std::string holder(const Store& store, const std::string& name) {
  for (const Image& image : store.read_index().images()) {
    if (image.name == name) return image.descriptor.digest.str();
  }
  return "";
}

BOOST_FIXTURE_TEST_SUITE(commits, StoreFixture)

BOOST_AUTO_TEST_CASE(a_commit_makes_blobs_and_name_appear) {
  const auto store = open();
  const TestImage image = make_image(*store, "1");
  BOOST_TEST(store->blobs().empty());
  add(*store, image, kName);
  BOOST_TEST(holder(*open(Store::Access::read_only), kName) == image.manifest().str());
  BOOST_TEST(store->blobs().size() == 3U);
  BOOST_TEST(!std::filesystem::exists(path / "intent"));
  BOOST_TEST(store->verify().empty());
}

BOOST_AUTO_TEST_CASE(a_commit_that_changes_nothing_writes_nothing) {
  const auto store = open();
  const TestImage image = make_image(*store, "1");
  add(*store, image, kName);
  const ino_t before = inode_of(path / "index.json");
  add(*store, image, kName);
  BOOST_TEST(inode_of(path / "index.json") == before);
}

BOOST_AUTO_TEST_CASE(an_index_that_could_not_be_read_again_is_not_written) {
  const auto store = open();
  std::string zeros = "[0";
  for (int i = 0; i < 1'000'000; ++i) zeros += ",0";
  Image image = make_image(*store, "1").named(kName);
  image.descriptor.others = {{"one", zeros + "]"}, {"two", zeros + "]"}, {"three", zeros + "]"}};
  BOOST_CHECK_EXCEPTION(store->commit({}, [&](Index& index) { index.add(image, kNow); }), Error,
                        [](const Error& error) { return error.errno_value() == EFBIG; });
  BOOST_TEST(store->read_index().images().empty());
}

BOOST_AUTO_TEST_CASE(an_edit_that_throws_leaves_nothing) {
  const auto store = open();
  const TestImage image = make_image(*store, "1");
  const auto before = files();
  BOOST_CHECK_THROW(store->commit(image.pointers(),
                                  [&](Index& index) {
                                    index.add(image.named(kName), kNow);
                                    throw Error(EINVAL, "no");
                                  }),
                    Error);
  BOOST_TEST((files() == before));
  add(*store, image, kName);
  BOOST_TEST(holder(*store, kName) == image.manifest().str());
}

BOOST_AUTO_TEST_CASE(a_blob_that_cannot_be_linked_leaves_nothing) {
  const auto store = open();
  const TestImage image = make_image(*store, "1");
  const auto before = files();
  const auto obstacle = blob_path(image.manifest());
  BOOST_CHECK_THROW(store->commit(image.pointers(),
                                  [&](Index& index) {
                                    index.add(image.named(kName), kNow);
                                    std::filesystem::create_directory(obstacle);
                                  }),
                    Error);
  BOOST_TEST((files() == before));
  BOOST_TEST(errno_of([&] { add(*store, image, kName); }) == EIO);
  BOOST_TEST((files() == before));
  std::filesystem::remove(obstacle);
  add(*store, image, kName);
}

BOOST_AUTO_TEST_CASE(an_index_that_cannot_be_replaced_leaves_nothing) {
  const auto store = open();
  const TestImage image = make_image(*store, "1");
  const auto aside = directory.path() / "index.json";
  BOOST_CHECK_THROW(store->commit(image.pointers(),
                                  [&](Index& index) {
                                    index.add(image.named(kName), kNow);
                                    std::filesystem::rename(path / "index.json", aside);
                                    std::filesystem::create_directories(path / "index.json/x");
                                  }),
                    Error);
  std::filesystem::remove_all(path / "index.json");
  std::filesystem::rename(aside, path / "index.json");
  BOOST_TEST(open()->blobs().empty());
  BOOST_TEST(!std::filesystem::exists(path / "intent"));
}

BOOST_AUTO_TEST_CASE(the_next_open_removes_what_a_crash_linked) {
  const auto store = open();
  const TestImage kept = make_image(*store, "1");
  add(*store, kept, kName);
  const auto before = files();
  write_file(blob_path(sha256("lost")), "lost");
  write_file(path / "intent", sha256("lost").str() + "\n" + kept.layer().str() + "\nsha256:torn");
  write_file(path / ".index.json.new", "{");
  write_file(path / "blobs" / ".replace-0123456789abcdef", "x");
  (void)open();
  BOOST_TEST((files() == before));
}

BOOST_AUTO_TEST_CASE(the_next_commit_removes_what_another_process_linked_and_lost) {
  const auto store = open();
  write_file(blob_path(sha256("lost")), "lost");
  write_file(path / "intent", sha256("lost").str() + "\n");
  store->commit({}, [](Index&) {});
  BOOST_TEST(store->blobs().empty());
  BOOST_TEST(!std::filesystem::exists(path / "intent"));
}

BOOST_AUTO_TEST_CASE(nothing_is_removed_while_documents_cannot_be_read) {
  const auto store = open();
  const TestImage image = make_image(*store, "1");
  add(*store, image, kName);
  flip_byte(blob_path(image.manifest()));
  write_file(path / "intent", image.layer().str() + "\n");
  const auto before = files();
  (void)open();
  BOOST_TEST((files() == before));
  BOOST_TEST(errno_of([&] { store->collect(kAtOnce, kAtOnce); }) == EIO);
  BOOST_TEST((files() == before));
}

BOOST_AUTO_TEST_CASE(a_held_blob_that_a_gc_took_is_put_back) {
  const auto store = open();
  const TestImage image = make_image(*store, "1");
  add(*store, image, kName);
  TestImage again = make_image(*store, "1");
  for (HeldBlob& blob : again.blobs) blob = store->hold(blob.digest).value();
  store->commit({}, [&](Index& index) { BOOST_TEST(index.remove_name(kName)); });
  BOOST_TEST(store->collect(kAtOnce, kAtOnce).blobs == 3U);
  BOOST_TEST(store->blobs().empty());
  add(*store, again, kName);
  BOOST_TEST(store->blobs().size() == 3U);
  BOOST_TEST(store->verify().empty());
}

BOOST_AUTO_TEST_CASE(a_blob_of_the_wrong_size_is_replaced) {
  const auto store = open();
  const TestImage image = make_image(*store, "1");
  write_file(blob_path(image.layer()), "short");
  add(*store, image, kName);
  BOOST_TEST(store->read_blob(image.layer(), 100).value() == "layer 1");
}

BOOST_AUTO_TEST_CASE(commits_of_many_threads_all_come_true) {
  constexpr int kThreads = 4;
  constexpr int kRounds = 10;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      const auto store = open();
      for (int round = 0; round < kRounds; ++round) {
        const TestImage image = make_image(*store, std::to_string(round));
        add(*store, image,
            "docker.io/library/x:" + std::to_string(thread) + "-" + std::to_string(round));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const auto store = open();
  BOOST_TEST(store->read_index().images().size() == std::size_t{kThreads} * kRounds);
  BOOST_TEST(store->blobs().size() == std::size_t{3} * kRounds);
  BOOST_TEST(store->verify().empty());
}

BOOST_AUTO_TEST_CASE(a_process_that_dies_in_a_commit_frees_the_store) {
  const auto store = open();
  const TestImage image = make_image(*store, "1");
  const auto before = files();
  const ::pid_t child = ::fork();
  BOOST_TEST_REQUIRE(child >= 0);
  if (child == 0) {
    store->commit(image.pointers(), [](Index&) { ::_exit(0); });
    ::_exit(1);
  }
  int status = 0;
  BOOST_TEST(::waitpid(child, &status, 0) == child);
  BOOST_TEST(status == 0);
  BOOST_TEST((files() == before));
  add(*store, image, kName);
  BOOST_TEST(holder(*store, kName) == image.manifest().str());
}

// One thread moves a name to and fro between two images, holding what the store has already, while
// another collects all that is unreferenced at once.
BOOST_AUTO_TEST_CASE(a_gc_never_takes_what_a_commit_counts_on) {
  constexpr int kRounds = 200;
  const auto store = open();
  std::atomic<bool> done = false;
  std::atomic<int> collections = 0;
  std::thread collector([&] {
    const auto own = open();
    while (!done) {
      own->collect(kAtOnce, kAtOnce);
      ++collections;
    }
  });
  for (int round = 0; round < kRounds; ++round) {
    TestImage image = make_image(*store, std::to_string(round % 2));
    for (HeldBlob& blob : image.blobs) {
      if (auto held = store->hold(blob.digest)) blob = *std::move(held);
    }
    add(*store, image, kName);
    BOOST_TEST_REQUIRE(holder(*store, kName) == image.manifest().str());
    for (const HeldBlob& blob : image.blobs) {
      BOOST_TEST_REQUIRE(store->read_blob(blob.digest, 1000).has_value());
    }
  }
  done = true;
  collector.join();
  BOOST_TEST(collections > 0);
  BOOST_TEST(store->verify().empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace imagefs::blobstore
