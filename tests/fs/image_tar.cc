#include "fs/image_tar.h"

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <filesystem>
#include <thread>

#include "tests/fs/tree_fixture.h"

namespace imagefs::tests {
namespace {

constexpr auto kName = "a.b/c:1";
const std::string kPath = std::string("images/") + kName;

std::size_t count_open(const std::filesystem::path& file) {
  std::size_t count = 0;
  for (const auto& each : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    if (std::filesystem::read_symlink(each, gone) == file) ++count;
  }
  return count;
}

std::string bytes_of(const fs::Content& content) {
  std::string bytes(content.size(), '\0');
  bytes.resize(content.read(std::as_writable_bytes(std::span(bytes)), 0));
  return bytes;
}

bool holds(const std::string& archive, const blobstore::Digest& blob) {
  return archive.find("blobs/sha256/" + blob.hex() + '\0') != std::string::npos;
}

class Fixture : public TreeFixture {
 public:
  // `most`: how many blobs may be held.
  [[nodiscard]] std::unique_ptr<fs::Tree> mount(std::size_t most = 100) const {
    fs::TreeOptions with_archive = options();
    with_archive.image_children = {fs::image_tar_child(std::make_shared<fs::OpenBlobs>(most))};
    return std::make_unique<fs::Tree>(store, with_archive);
  }
  [[nodiscard]] int errno_of_open() const {
    return errno_of([&] { (void)walk(*mount(), kPath + "/image.tar")->open(); });
  }
  void truncate(const blobstore::Digest& digest) const {
    std::filesystem::resize_file(blob_path(digest), 3);
  }
  // The one blob of the store that a file of another inode replaces, with the same bytes.
  void replace(const blobstore::Digest& digest) const {
    const auto copy = store->path() / "copy";
    std::filesystem::copy_file(blob_path(digest), copy);
    std::filesystem::rename(copy, blob_path(digest));
  }
};

BOOST_FIXTURE_TEST_SUITE(image_tar, Fixture)

BOOST_AUTO_TEST_CASE(its_blobs_are_open_once_as_long_as_a_reader_has_it_open) {
  const MadeImage image = add_image(kName);
  const auto tree = mount();
  const auto last = std::filesystem::canonical(blob_path(image.layers.back()));
  const fs::ContentPtr one = walk(*tree, kPath + "/image.tar")->open();
  BOOST_TEST(count_open(last) == 1U);
  {
    const fs::ContentPtr another = walk(*tree, kPath + "/image.tar")->open();
    BOOST_TEST(bytes_of(*one) == bytes_of(*another));
    BOOST_TEST(count_open(last) == 1U);
  }
  BOOST_TEST(count_open(last) == 1U);
}

BOOST_AUTO_TEST_CASE(nothing_is_open_when_nobody_reads_it) {
  const MadeImage image = add_image(kName);
  const auto tree = mount();
  const fs::NodePtr node = walk(*tree, kPath + "/image.tar");
  const auto last = std::filesystem::canonical(blob_path(image.layers.back()));
  BOOST_TEST(count_open(last) == 0U);
  BOOST_TEST(bytes_of(*node->open()).size() > 0U);
  BOOST_TEST(count_open(last) == 0U);
}

BOOST_AUTO_TEST_CASE(who_has_it_open_reads_it_to_its_end_when_its_blobs_are_removed) {
  const MadeImage image = add_image(kName);
  const auto tree = mount();
  const std::string expected = bytes_of(*walk(*tree, kPath + "/image.tar")->open());
  const fs::ContentPtr open = walk(*tree, kPath + "/image.tar")->open();
  for (const blobstore::Digest& blob : store->blobs()) remove_blob(blob);
  BOOST_TEST(bytes_of(*open) == expected);
  BOOST_TEST(holds(expected, image.layers.back()));
}

BOOST_AUTO_TEST_CASE(readers_come_and_go_in_any_thread) {
  const MadeImage image = add_image(kName);
  const auto tree = mount(3);  // of 4 blobs
  const std::string expected = bytes_of(*walk(*tree, kPath + "/image.tar")->open());
  std::atomic<int> wrong = 0;
  const auto read_often = [&] {
    const fs::NodePtr node = walk(*tree, kPath + "/image.tar");
    for (int i = 0; i < 50; ++i) wrong += bytes_of(*node->open()) != expected;
  };
  {
    const std::jthread one(read_often);
    const std::jthread another(read_often);
    read_often();
  }
  BOOST_TEST(wrong == 0);
  BOOST_TEST(count_open(std::filesystem::canonical(blob_path(image.layers.back()))) == 0U);
}

BOOST_AUTO_TEST_CASE(it_is_readable_without_the_descriptors_to_hold_its_blobs) {
  const MadeImage image = add_image(kName);
  const std::string expected = bytes_of(*walk(*mount(), kPath + "/image.tar")->open());
  const auto tree = mount(1);
  const fs::ContentPtr open = walk(*tree, kPath + "/image.tar")->open();
  const auto last = std::filesystem::canonical(blob_path(image.layers.back()));
  BOOST_TEST(count_open(last) == 0U);
  BOOST_TEST(bytes_of(*open) == expected);
}

BOOST_AUTO_TEST_CASE(what_was_let_go_of_makes_room_for_others) {
  const MadeImage image = add_image(kName);
  const auto tree = mount(4);  // as many as the image has
  const auto last = std::filesystem::canonical(blob_path(image.layers.back()));
  for (int i = 0; i < 3; ++i) {
    const fs::ContentPtr open = walk(*tree, kPath + "/image.tar")->open();
    BOOST_TEST(count_open(last) == 1U);
  }
}

BOOST_AUTO_TEST_CASE(a_blob_that_was_written_again_is_read_anew) {
  const MadeImage image = add_image(kName);
  const auto tree = mount();
  const fs::NodePtr node = walk(*tree, kPath + "/image.tar");
  const fs::ContentPtr old = node->open();
  replace(image.layers[0]);
  const fs::ContentPtr current = node->open();
  BOOST_TEST(count_open(std::filesystem::canonical(blob_path(image.layers[0]))) == 1U);
  BOOST_TEST(bytes_of(*old) == bytes_of(*current));
}

BOOST_AUTO_TEST_CASE(it_cannot_be_opened_without_each_of_its_blobs) {
  for (const std::string& gone : {std::string("config"), std::string("layer")}) {
    const MadeImage image = make_image(gone);
    add(image.descriptor, kName);
    const auto whole = walk(*mount(), kPath + "/image.tar")->attributes().st_size;
    remove_blob(gone == "config" ? image.config : image.layers[1]);
    BOOST_TEST(errno_of_open() == EIO, gone);
    BOOST_TEST(walk(*mount(), kPath + "/image.tar")->attributes().st_size == whole, gone);
  }
}

BOOST_AUTO_TEST_CASE(it_cannot_be_opened_with_a_damaged_blob) {
  const MadeImage shorter = make_image("a layer of another size");
  add(shorter.descriptor, kName);
  truncate(shorter.layers[0]);
  BOOST_TEST(errno_of_open() == EIO);
  const MadeImage config = make_image("a config with other bytes");
  add(config.descriptor, kName);
  damage_blob(config.config);
  BOOST_TEST(errno_of_open() == EIO);
  const MadeImage marked = make_image("a layer that verify found damaged");
  add(marked.descriptor, kName);
  damage_blob(marked.layers[1]);
  BOOST_TEST(errno_of_open() == 0);
  BOOST_TEST(store->verify().size() > 0U);
  BOOST_TEST(errno_of_open() == EIO);
}

BOOST_AUTO_TEST_CASE(it_is_stale_when_its_image_is_gone) {
  add_image(kName);
  const auto tree = mount();
  const fs::NodePtr node = walk(*tree, kPath + "/image.tar");
  for (const blobstore::Digest& blob : store->blobs()) remove_blob(blob);
  BOOST_TEST(errno_of([&] { (void)node->open(); }) == ESTALE);
}

BOOST_AUTO_TEST_CASE(absent_platforms_are_left_out) {
  const MadeImage here = make_image("here");
  const MadeImage absent = make_image("absent", {.os = "linux", .architecture = "arm64"});
  add(make_index({absent.descriptor, here.descriptor}), kName);
  const auto whole = walk(*mount(), kPath + "/image.tar")->attributes().st_size;
  remove_blob(absent.descriptor.digest);
  const fs::NodePtr node = walk(*mount(), kPath + "/image.tar");
  const std::string bytes = bytes_of(*node->open());
  BOOST_TEST(node->attributes().st_size < whole);
  BOOST_TEST(bytes.size() == static_cast<std::size_t>(node->attributes().st_size));
  BOOST_TEST(holds(bytes, here.layers[0]));
  BOOST_TEST(!holds(bytes, absent.descriptor.digest));
  BOOST_TEST(!holds(bytes, absent.layers[0]));
}

BOOST_AUTO_TEST_CASE(a_platform_that_is_there_has_all_its_blobs) {
  const MadeImage here = make_image("here");
  const MadeImage other = make_image("other", {.os = "linux", .architecture = "arm64"});
  add(make_index({here.descriptor, other.descriptor}), kName);
  remove_blob(other.layers[0]);
  BOOST_TEST(errno_of_open() == EIO);
}

BOOST_AUTO_TEST_CASE(a_foreign_layer_may_be_absent) {
  constexpr auto kForeign = "application/vnd.oci.image.layer.nondistributable.v1.tar";
  constexpr auto kUrls = R"(,"urls":["https://foreign.example/layer"])";
  for (const auto& [type, urls] :
       {std::pair{kForeign, ""}, std::pair{"application/vnd.oci.image.layer.v1.tar", kUrls}}) {
    const auto config = make_blob(blobstore::media_type::kOciConfig, "{}");
    const auto foreign = make_blob(type, "a foreign layer");
    const std::string text =
        R"({"schemaVersion":2,"config":{"mediaType":")" + config.media_type + R"(","digest":")" +
        config.digest.str() + R"(","size":2},"layers":[{"mediaType":")" + foreign.media_type +
        R"(","digest":")" + foreign.digest.str() + R"(","size":15)" + urls + "}]}";
    add(make_blob(blobstore::media_type::kOciManifest, text), kName);
    BOOST_TEST(holds(bytes_of(*walk(*mount(), kPath + "/image.tar")->open()), foreign.digest));
    remove_blob(foreign.digest);
    const fs::NodePtr node = walk(*mount(), kPath + "/image.tar");
    const std::string bytes = bytes_of(*node->open());
    BOOST_TEST(bytes.size() == static_cast<std::size_t>(node->attributes().st_size));
    BOOST_TEST(holds(bytes, config.digest));
    BOOST_TEST(!holds(bytes, foreign.digest));
  }
}

BOOST_AUTO_TEST_CASE(a_damaged_manifest_of_another_platform_leaves_the_rest_readable) {
  const MadeImage here = make_image("here");
  const MadeImage other = make_image("other", {.os = "linux", .architecture = "arm64"});
  add(make_index({here.descriptor, other.descriptor}), kName);
  damage_blob(other.descriptor.digest);
  const auto tree = mount();
  BOOST_TEST(names(*walk(*tree, kPath)) ==
             (std::vector<std::string>{"config.json", "image.tar", "index.json", "layers",
                                       "manifest.json", "platforms"}));
  const fs::NodePtr node = walk(*tree, kPath + "/image.tar");
  BOOST_TEST(!node->ready());
  BOOST_TEST(errno_of([&] { node->await([] {}); }) == EIO);
  BOOST_TEST(errno_of([&] { (void)node->open(); }) == EIO);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace imagefs::tests
