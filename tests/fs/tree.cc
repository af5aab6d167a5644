#include "fs/tree.h"

#include <sys/stat.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <fstream>

#include "tests/fs/tree_fixture.h"

using namespace imagefs;
using namespace imagefs::tests;

namespace {

using Names = std::vector<std::string>;

constexpr auto kBusybox = "docker.io/library/busybox:1.36";
const std::string kBusyboxPath = std::string("images/") + kBusybox;

std::string bytes_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

fs::NodeId id_of(const fs::Tree& tree, const std::string& path) { return walk(tree, path)->id(); }

}  // namespace

BOOST_FIXTURE_TEST_SUITE(tree, TreeFixture)

BOOST_AUTO_TEST_CASE(the_root_is_an_image_layout) {
  add_image(kBusybox);
  const auto mount = tree();
  BOOST_TEST(mount->root()->id() == 1U);
  BOOST_TEST(names(*mount->root()) ==
             (Names{".imagefs", "blobs", "images", "index.json", "oci-layout"}));
  BOOST_TEST(read_all(*walk(*mount, "index.json")) == bytes_of(store->path() / "index.json"));
  BOOST_TEST(read_all(*walk(*mount, "oci-layout")) == bytes_of(store->path() / "oci-layout"));
  BOOST_TEST(walk(*mount, "index.json")->attributes().st_size ==
             static_cast<off_t>(std::filesystem::file_size(store->path() / "index.json")));
  BOOST_TEST(read_all(*walk(*mount, ".imagefs/status.json")) == "{}\n");
  BOOST_TEST(names(*walk(*mount, "blobs")) == Names{"sha256"});
}

BOOST_AUTO_TEST_CASE(blobs_are_listed_and_read) {
  const MadeImage image = add_image(kBusybox);
  const auto mount = tree();
  const std::string path = "blobs/sha256/" + image.config.hex();
  BOOST_TEST(names(*walk(*mount, "blobs/sha256")).size() == 4U);
  BOOST_TEST(read_all(*walk(*mount, path)) == bytes_of(blob_path(image.config)));
  BOOST_TEST(walk(*mount, path)->xattr("user.imagefs.digest").value() == image.config.str());
  BOOST_TEST(!walk(*mount, path)->xattr("user.imagefs.media_type").has_value());
  for (const std::string name : {"", "..", "sha256", "ABC"}) {
    BOOST_TEST(walk(*mount, "blobs/sha256")->lookup(name) == nullptr, name);
  }
  BOOST_TEST(walk(*mount, "blobs/sha256")->lookup(std::string(64, '0')) == nullptr);
}

BOOST_AUTO_TEST_CASE(an_image_directory_has_its_documents_and_layers) {
  const MadeImage image = add_image(kBusybox);
  const auto mount = tree();
  const fs::NodePtr directory = walk(*mount, kBusyboxPath);
  BOOST_TEST(names(*directory) == (Names{"config.json", "layers", "manifest.json"}));
  BOOST_TEST(digest_of(*directory->lookup("manifest.json")) == image.descriptor.digest.str());
  BOOST_TEST(digest_of(*directory->lookup("config.json")) == image.config.str());
  BOOST_TEST(names(*directory->lookup("layers")) == (Names{"00", "01"}));
  BOOST_TEST(walk(*mount, kBusyboxPath + "/layers/01")->target() ==
             "../../../../../blobs/sha256/" + image.layers[1].hex());
  BOOST_TEST(read_all(*follow(*mount, kBusyboxPath + "/layers/01")) == "layer 1 of seed");
  for (const std::string name : {"index.json", "platforms", "rootfs", "..", "", "0"}) {
    BOOST_TEST(directory->lookup(name) == nullptr, name);
  }
  for (const std::string name : {"02", "0", "000", "-1", "", "0x", "99999999999999999999"}) {
    BOOST_TEST(directory->lookup("layers")->lookup(name) == nullptr, name);
  }
}

BOOST_AUTO_TEST_CASE(attributes_are_real_ones) {
  const MadeImage image = add_image(kBusybox);
  const auto mount = tree();
  const struct stat file = walk(*mount, kBusyboxPath + "/manifest.json")->attributes();
  struct stat blob = {};
  BOOST_REQUIRE(::stat(blob_path(image.descriptor.digest).c_str(), &blob) == 0);
  BOOST_TEST(file.st_mode == (S_IFREG | 0444U));
  BOOST_TEST(file.st_size == blob.st_size);
  BOOST_TEST(file.st_blocks == blob.st_blocks);
  BOOST_TEST(file.st_nlink == 1U);
  BOOST_TEST(file.st_uid == 7U);
  BOOST_TEST(file.st_gid == 8U);
  const struct stat directory = walk(*mount, kBusyboxPath)->attributes();
  BOOST_TEST(directory.st_mode == (S_IFDIR | 0755U));
  BOOST_TEST(directory.st_nlink == 3U);
  BOOST_TEST(directory.st_mtim.tv_sec == kImportedTime);
  BOOST_TEST(walk(*mount, "images/docker.io/library")->attributes().st_nlink == 3U);
  BOOST_TEST(mount->root()->attributes().st_nlink == 5U);
  const struct stat link = walk(*mount, kBusyboxPath + "/layers/00")->attributes();
  BOOST_TEST(link.st_size ==
             static_cast<off_t>(walk(*mount, kBusyboxPath + "/layers/00")->target().size()));
}

BOOST_AUTO_TEST_CASE(the_umask_takes_mode_bits_away) {
  add_image(kBusybox);
  fs::TreeOptions strict = options();
  strict.umask = 077;
  const fs::Tree mount(store, strict);
  BOOST_TEST(walk(mount, kBusyboxPath)->attributes().st_mode == (S_IFDIR | 0700U));
  BOOST_TEST(walk(mount, "index.json")->attributes().st_mode == (S_IFREG | 0400U));
}

BOOST_AUTO_TEST_CASE(every_stat_has_the_id_and_type_that_the_listing_shows) {
  const auto mount = tree();
  const blobstore::Descriptor index = make_index({make_image("amd64").descriptor});
  add(index, "a.b/multi:1");
  add_image(kBusybox);
  add(make_image("untagged").descriptor, std::nullopt);
  mount->reload();
  std::size_t visited = 0;
  const std::function<void(const fs::Node&)> check = [&](const fs::Node& directory) {
    directory.list(0, [&](const fs::ListedName& listed) {
      const fs::NodePtr node = directory.lookup(listed.name);
      BOOST_REQUIRE(node);
      BOOST_TEST(node->id() == listed.id, listed.name);
      BOOST_TEST(node->attributes().st_ino == listed.id, listed.name);
      BOOST_TEST((node->attributes().st_mode & S_IFMT) == listed.type, listed.name);
      if (listed.type == S_IFDIR) check(*node);
      ++visited;
      return true;
    });
  };
  check(*mount->root());
  BOOST_TEST(visited > 40U);
}

BOOST_AUTO_TEST_CASE(familiar_names_resolve_component_by_component) {
  add_image(kBusybox);
  add_image("docker.io/library/busybox:latest", "latest");
  const auto mount = tree();
  const fs::NodeId tagged = id_of(*mount, kBusyboxPath);
  BOOST_TEST(follow(*mount, "images/busybox:1.36")->id() == tagged);
  BOOST_TEST(follow(*mount, "images/library/busybox:1.36")->id() == tagged);
  BOOST_TEST(follow(*mount, "images/docker.io/busybox:1.36")->id() == tagged);
  const fs::NodeId latest = id_of(*mount, "images/docker.io/library/busybox:latest");
  BOOST_TEST(follow(*mount, "images/busybox")->id() == latest);
  BOOST_TEST(follow(*mount, "images/library/busybox")->id() == latest);
  BOOST_TEST(walk(*mount, "images/busybox")->attributes().st_mode == (S_IFLNK | 0777U));
  BOOST_TEST(names(*walk(*mount, "images")) == Names{"docker.io"});
}

BOOST_AUTO_TEST_CASE(any_blob_of_an_image_is_found_by_its_digest_in_its_directory) {
  const MadeImage image = add_image(kBusybox);
  const MadeImage other = add_image("a.b/other:1", "other");
  const auto mount = tree();
  const fs::NodePtr directory = walk(*mount, kBusyboxPath);
  BOOST_TEST(read_all(*directory->lookup(image.layers[0].hex())) == "layer 0 of seed");
  BOOST_TEST(directory->lookup(image.layers[0].hex())->xattr("user.imagefs.media_type").value() ==
             "application/vnd.oci.image.layer.v1.tar");
  BOOST_TEST(directory->lookup(image.config.hex()) != nullptr);
  BOOST_TEST(directory->lookup(image.descriptor.digest.hex()) != nullptr);
  BOOST_TEST(directory->lookup(other.config.hex()) == nullptr);
  BOOST_TEST(directory->lookup("manifest.json")->xattr("user.imagefs.media_type").value() ==
             blobstore::media_type::kOciManifest);
}

BOOST_AUTO_TEST_CASE(images_without_a_name_are_listed_and_other_manifests_are_found) {
  const MadeImage untagged = make_image("untagged");
  add(untagged.descriptor, std::nullopt);
  const MadeImage named = add_image(kBusybox);
  const auto mount = tree();
  const fs::NodePtr images = walk(*mount, "images");
  BOOST_TEST(names(*images) == (Names{"docker.io", untagged.descriptor.digest.str()}));
  BOOST_TEST(names(*images->lookup(untagged.descriptor.digest.str())) ==
             (Names{"config.json", "layers", "manifest.json"}));
  const fs::NodePtr unlisted = images->lookup(named.descriptor.digest.str());
  BOOST_REQUIRE(unlisted);
  BOOST_TEST(digest_of(*unlisted->lookup("manifest.json")) == named.descriptor.digest.str());
  BOOST_TEST(images->lookup(named.config.str()) == nullptr);
  BOOST_TEST(images->lookup(named.layers[0].str()) == nullptr);
  BOOST_TEST(images->lookup("sha256:" + std::string(64, '0')) == nullptr);
}

BOOST_AUTO_TEST_CASE(names_that_are_none_lead_nowhere) {
  add_image(kBusybox);
  const auto mount = tree();
  for (const std::string& directory :
       {std::string("images"), std::string("images/docker.io"), kBusyboxPath}) {
    const fs::NodePtr node = walk(*mount, directory);
    for (const std::string& name :
         {std::string(".."), std::string("."), std::string(), std::string("%2e%2e"),
          std::string(1000, 'x'), std::string("library/busybox:1.36"), std::string("a\0b", 3)}) {
      BOOST_TEST(node->lookup(name) == nullptr, directory << " " << name);
    }
  }
}

BOOST_AUTO_TEST_CASE(many_layers_sort_in_their_order) {
  add(make_image("deep", {.os = "linux", .architecture = "amd64"}, 101).descriptor, kBusybox);
  const auto mount = tree();
  const Names layers = names(*walk(*mount, kBusyboxPath + "/layers"), 10);
  BOOST_REQUIRE(layers.size() == 101U);
  BOOST_TEST(layers.front() == "000");
  BOOST_TEST(layers.back() == "100");
  BOOST_TEST(read_all(*follow(*mount, kBusyboxPath + "/layers/042")) == "layer 42 of deep");
}

BOOST_AUTO_TEST_CASE(an_image_without_layers_is_shown) {
  add(make_image("empty", {.os = "linux", .architecture = "amd64"}, 0).descriptor, kBusybox);
  const auto mount = tree();
  BOOST_TEST(names(*walk(*mount, kBusyboxPath + "/layers")).empty());
  BOOST_TEST(walk(*mount, kBusyboxPath + "/layers")->lookup("00") == nullptr);
}

BOOST_AUTO_TEST_CASE(others_add_entries_to_image_directories) {
  const MadeImage image = add_image(kBusybox);
  fs::TreeOptions extended = options();
  std::vector<fs::ImageContext> seen;
  extended.image_children = {{"rootfs", S_IFDIR, [&](const fs::ImageContext& context) {
                                seen.push_back(context);
                                return fs::NodePtr();
                              }}};
  const fs::Tree mount(store, extended);
  const fs::NodePtr directory = walk(mount, kBusyboxPath);
  BOOST_TEST(directory->attributes().st_nlink == 4U);
  BOOST_TEST(directory->lookup("rootfs") == nullptr);
  BOOST_REQUIRE(seen.size() == 1U);
  BOOST_TEST(seen[0].path == kBusyboxPath);
  BOOST_TEST(seen[0].name.value() == kBusybox);
  BOOST_TEST(seen[0].manifest_descriptor.digest.str() == image.descriptor.digest.str());
  BOOST_TEST(seen[0].manifest->layers.size() == 2U);
}

BOOST_AUTO_TEST_CASE(ten_thousand_images_are_listed_in_pages) {
  const MadeImage image = make_image("seed");
  // Written as another tool would: an Index adds names one by one.
  std::ofstream index(store->path() / "index.json");
  index << R"({"schemaVersion":2,"manifests":[)";
  for (int i = 0; i < 10'000; ++i) {
    index << (i > 0 ? "," : "") << R"({"mediaType":")" << image.descriptor.media_type
          << R"(","digest":")" << image.descriptor.digest.str() << R"(","size":)"
          << image.descriptor.size << R"(,"annotations":{"io.containerd.image.name":)"
          << R"("docker.io/library/image:)" << i << R"("}})";
  }
  index << "]}";
  index.close();
  const auto mount = tree();
  const Names all = names(*walk(*mount, "images/docker.io/library"), 123);
  BOOST_TEST(all.size() == 10'000U);
  BOOST_TEST((std::ranges::adjacent_find(all) == all.end()));
  BOOST_TEST(walk(*mount, "images/docker.io/library")->attributes().st_nlink == 10'002U);
  BOOST_TEST(follow(*mount, "images/image:9999/manifest.json") != nullptr);
}

BOOST_AUTO_TEST_SUITE_END()
