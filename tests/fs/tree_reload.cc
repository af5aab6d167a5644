#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <fstream>
#include <thread>

#include "fs/refresher.h"
#include "tests/fs/tree_fixture.h"

using namespace imagefs;
using namespace imagefs::tests;

namespace {

constexpr auto kName = "docker.io/library/busybox:1.36";
const std::string kPath = std::string("images/") + kName;

bool has_directory(const fs::Tree::Changes& changes, fs::NodeId id) {
  return std::ranges::find(changes.directories, id) != changes.directories.end();
}

void overwrite(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::trunc) << bytes;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(tree_reload, TreeFixture)

BOOST_AUTO_TEST_CASE(nothing_is_reported_when_nothing_changed) {
  add_image(kName);
  const auto mount = tree();
  const fs::Tree::Changes changes = mount->reload();
  BOOST_TEST(changes.directories.empty());
}

BOOST_AUTO_TEST_CASE(a_new_image_is_there_after_reload_and_its_directories_are_reported) {
  const auto mount = tree();
  const fs::NodePtr images = walk(*mount, "images");
  add_image(kName);
  BOOST_TEST(images->lookup("docker.io") == nullptr);
  const fs::Tree::Changes changes = mount->reload();
  BOOST_TEST(has_directory(changes, images->id()));
  // A node from before the reload looks into the new snapshot.
  BOOST_TEST(images->lookup("docker.io") != nullptr);
  BOOST_TEST(images->lookup("busybox:1.36") != nullptr);
}

// While it lives, this process can open nothing.
class NoDescriptors {
 public:
  NoDescriptors() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    rlimit none = before_;
    none.rlim_cur = 0;
    ::setrlimit(RLIMIT_NOFILE, &none);
  }
  NoDescriptors(const NoDescriptors&) = delete;
  NoDescriptors& operator=(const NoDescriptors&) = delete;
  ~NoDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

BOOST_AUTO_TEST_CASE(what_could_not_be_read_once_is_read_at_the_next_look) {
  const auto mount = tree();
  fs::Refresher refresher(store, *mount, [](const fs::Tree::Changes&) {});
  refresher.refresh_if_changed();
  add_image(kName);
  {
    const NoDescriptors full;
    refresher.refresh_if_changed();
    BOOST_TEST(errno_of([&] { mount->reload(); }) == EMFILE);
  }
  BOOST_TEST(walk(*mount, kPath) == nullptr);
  refresher.refresh_if_changed();
  BOOST_TEST(walk(*mount, kPath) != nullptr);
}

BOOST_AUTO_TEST_CASE(a_moved_tag_is_another_node_and_the_old_one_still_shows_the_old_image) {
  add_image(kName, "old");
  const auto mount = tree();
  const fs::NodePtr old_directory = walk(*mount, kPath);
  const fs::NodePtr parent = walk(*mount, "images/docker.io/library");
  const MadeImage now = add_image(kName, "new");
  const fs::Tree::Changes changes = mount->reload();
  BOOST_TEST(has_directory(changes, parent->id()));
  const fs::NodePtr new_directory = walk(*mount, kPath);
  BOOST_TEST(new_directory->id() != old_directory->id());
  BOOST_TEST(digest_of(*new_directory->lookup("manifest.json")) == now.descriptor.digest.str());
  BOOST_TEST(read_all(*old_directory->lookup("config.json")).find("old") != std::string::npos);
  BOOST_TEST(old_directory->lookup("layers")->id() != new_directory->lookup("layers")->id());
}

BOOST_AUTO_TEST_CASE(ids_are_the_same_in_the_next_process) {
  add_image(kName);
  add(make_index({make_image("amd64").descriptor}), "a.b/multi:1");
  const auto first = tree();
  const auto second = tree();
  for (const std::string& path :
       {std::string("images"), std::string("images/docker.io"), kPath, kPath + "/manifest.json",
        kPath + "/layers", kPath + "/layers/00", std::string("images/busybox:1.36"),
        std::string("images/a.b/multi:1/platforms"), std::string("index.json"),
        std::string("blobs/sha256")}) {
    BOOST_TEST(walk(*first, path)->id() == walk(*second, path)->id(), path);
  }
}

BOOST_AUTO_TEST_CASE(a_directory_that_no_name_leads_through_is_stale) {
  add_image(kName);
  const auto mount = tree();
  const fs::NodePtr directory = walk(*mount, "images/docker.io/library");
  remove(kName);
  mount->reload();
  BOOST_TEST(errno_of([&] { (void)directory->attributes(); }) == ESTALE);
  BOOST_TEST(errno_of([&] { (void)directory->lookup("busybox:1.36"); }) == ESTALE);
  BOOST_TEST(errno_of([&] { directory->list(0, [](const auto&) { return true; }); }) == ESTALE);
  add_image(kName);
  mount->reload();
  BOOST_TEST(directory->lookup("busybox:1.36") != nullptr);
}

BOOST_AUTO_TEST_CASE(the_old_names_stand_while_the_index_cannot_be_parsed) {
  add_image(kName);
  const auto mount = tree();
  const std::filesystem::path index = store->path() / "index.json";
  const std::string good = store->index_bytes();
  overwrite(index, good.substr(0, good.size() / 2));
  BOOST_TEST(mount->reload().directories.empty());
  BOOST_TEST(walk(*mount, kPath) != nullptr);
  overwrite(index, R"({"schemaVersion":2,"manifests":[]})");
  BOOST_TEST(!mount->reload().directories.empty());
  BOOST_TEST(walk(*mount, "images/docker.io") == nullptr);
}

BOOST_AUTO_TEST_CASE(a_store_that_is_being_rewritten_shows_no_images_until_it_can_be_read) {
  add_image(kName);
  const std::filesystem::path index = store->path() / "index.json";
  const std::string good = store->index_bytes();
  overwrite(index, "{");
  const auto mount = tree();
  BOOST_TEST(names(*walk(*mount, "images")).empty());
  overwrite(index, good);
  mount->reload();
  BOOST_TEST(walk(*mount, kPath) != nullptr);
}

BOOST_AUTO_TEST_CASE(an_open_index_json_keeps_the_bytes_it_had) {
  const auto mount = tree();
  const fs::ContentPtr before = walk(*mount, "index.json")->open();
  const std::string bytes = store->index_bytes();
  add_image(kName);
  std::string read(before->size(), '\0');
  before->read(std::as_writable_bytes(std::span(read)), 0);
  BOOST_TEST(read == bytes);
  BOOST_TEST(read_all(*walk(*mount, "index.json")) == store->index_bytes());
  BOOST_TEST((walk(*mount, "index.json")->lifetime() == fs::Lifetime::volatile_));
}

BOOST_AUTO_TEST_CASE(lookups_and_reloads_go_on_at_the_same_time) {
  const MadeImage one = make_image("one");
  const MadeImage two = make_image("two");
  add(one.descriptor, kName);
  const auto mount = tree();
  std::atomic<bool> ended = false;
  std::atomic<int> missing = 0;
  std::thread reader([&] {
    while (!ended) {
      const fs::NodePtr manifest = follow(*mount, "images/busybox:1.36/manifest.json");
      if (!manifest || read_all(*manifest).empty()) ++missing;
    }
  });
  for (int i = 0; i < 50; ++i) {
    add((i % 2 == 0 ? two : one).descriptor, kName);
    mount->reload();
  }
  ended = true;
  reader.join();
  BOOST_TEST(missing == 0);
}

BOOST_AUTO_TEST_SUITE_END()
