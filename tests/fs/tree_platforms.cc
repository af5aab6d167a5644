#include <sys/stat.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cerrno>

#include "tests/fs/tree_fixture.h"

using namespace imagefs;
using namespace imagefs::tests;

namespace {

using Names = std::vector<std::string>;

const blobstore::Platform kAmd64 = {.os = "linux", .architecture = "amd64"};
const blobstore::Platform kArm64 = {.os = "linux", .architecture = "arm64"};
const blobstore::Platform kArmV6 = {.os = "linux", .architecture = "arm", .variant = "v6"};
const blobstore::Platform kAttestation = {.os = "unknown", .architecture = "unknown"};

const std::string kPath = "images/a.b/multi:1";

std::string digest_at(const fs::Tree& tree, const std::string& path) {
  return digest_of(*walk(tree, path));
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(tree_platforms, TreeFixture)

BOOST_AUTO_TEST_CASE(each_present_platform_has_its_directory) {
  const MadeImage amd64 = make_image("amd64", kAmd64);
  const MadeImage arm = make_image("arm", kArmV6);
  const MadeImage attestation = make_image("attestation", kAttestation);
  const blobstore::Descriptor absent = make_image("absent", kArm64).descriptor;
  remove_blob(absent.digest);
  const blobstore::Descriptor index =
      make_index({arm.descriptor, amd64.descriptor, absent, attestation.descriptor});
  add(index, "a.b/multi:1");
  const auto mount = tree();

  BOOST_TEST(names(*walk(*mount, kPath)) ==
             (Names{"config.json", "index.json", "layers", "manifest.json", "platforms"}));
  BOOST_TEST(names(*walk(*mount, kPath + "/platforms"), 1) ==
             (Names{"linux-amd64", "linux-arm-v6"}));
  BOOST_TEST(digest_at(*mount, kPath + "/index.json") == index.digest.str());
  BOOST_TEST(digest_at(*mount, kPath + "/manifest.json") == amd64.descriptor.digest.str());
  BOOST_TEST(digest_at(*mount, kPath + "/platforms/linux-arm-v6/manifest.json") ==
             arm.descriptor.digest.str());
  BOOST_TEST(read_all(*follow(*mount, kPath + "/platforms/linux-arm-v6/layers/00")) ==
             "layer 0 of arm");
  BOOST_TEST(names(*walk(*mount, kPath + "/platforms/linux-arm-v6")) ==
             (Names{"config.json", "layers", "manifest.json"}));
  BOOST_TEST(walk(*mount, kPath + "/platforms/linux-arm64") == nullptr);
  BOOST_TEST(walk(*mount, kPath)->attributes().st_nlink == 4U);
  BOOST_TEST(walk(*mount, kPath + "/platforms")->attributes().st_nlink == 4U);
}

BOOST_AUTO_TEST_CASE(the_wanted_platform_is_manifest_json) {
  const MadeImage amd64 = make_image("amd64", kAmd64);
  const MadeImage arm64 = make_image("arm64", kArm64);
  add(make_index({amd64.descriptor, arm64.descriptor}), "a.b/multi:1");
  fs::TreeOptions wanted = options();
  wanted.platform = {.os = "linux", .architecture = "aarch64"};
  const fs::Tree mount(store, wanted);
  BOOST_TEST(digest_at(mount, kPath + "/manifest.json") == arm64.descriptor.digest.str());
}

BOOST_AUTO_TEST_CASE(where_no_platform_fits_the_first_one_is_shown) {
  const MadeImage arm64 = make_image("arm64", kArm64);
  add(make_index({arm64.descriptor}), "a.b/multi:1");
  BOOST_TEST(digest_at(*tree(), kPath + "/manifest.json") == arm64.descriptor.digest.str());
}

BOOST_AUTO_TEST_CASE(an_index_of_which_nothing_is_present_is_an_index_alone) {
  const blobstore::Descriptor absent = make_image("absent", kAmd64).descriptor;
  remove_blob(absent.digest);
  add(make_index({absent}), "a.b/multi:1");
  const auto mount = tree();
  BOOST_TEST(names(*walk(*mount, kPath)) == (Names{"index.json", "platforms"}));
  BOOST_TEST(names(*walk(*mount, kPath + "/platforms")).empty());
  BOOST_TEST(walk(*mount, kPath + "/manifest.json") == nullptr);
}

BOOST_AUTO_TEST_CASE(a_platform_that_the_index_does_not_tell_is_the_configs) {
  blobstore::Descriptor silent = make_image("silent", kArm64).descriptor;
  silent.platform.reset();
  add(make_index({silent}), "a.b/multi:1");
  BOOST_TEST(names(*walk(*tree(), kPath + "/platforms")) == Names{"linux-arm64"});
}

BOOST_AUTO_TEST_CASE(an_index_within_an_index_is_followed) {
  const blobstore::Descriptor inner = make_index({make_image("amd64", kAmd64).descriptor});
  add(make_index({inner}), "a.b/multi:1");
  BOOST_TEST(names(*walk(*tree(), kPath + "/platforms")) == Names{"linux-amd64"});
}

BOOST_AUTO_TEST_CASE(a_platform_that_is_no_file_name_has_no_directory) {
  const auto odd = [&](const std::string& os) {
    return make_image("odd", {.os = os, .architecture = "amd64"}).descriptor;
  };
  add(make_index({odd("../../x"), odd("a/b"), odd(std::string(300, 'o'))}), "a.b/multi:1");
  BOOST_TEST(names(*walk(*tree(), kPath + "/platforms")).empty());
}

BOOST_AUTO_TEST_CASE(blobs_of_every_platform_are_found_by_their_digest) {
  const MadeImage amd64 = make_image("amd64", kAmd64);
  const MadeImage arm64 = make_image("arm64", kArm64);
  add(make_index({amd64.descriptor, arm64.descriptor}), "a.b/multi:1");
  const auto mount = tree();
  const fs::NodePtr directory = walk(*mount, kPath);
  BOOST_TEST(directory->lookup(arm64.descriptor.digest.hex()) != nullptr);
  BOOST_TEST(read_all(*directory->lookup(arm64.layers[0].hex())) == "layer 0 of arm64");
  const fs::NodePtr platform = directory->lookup("platforms")->lookup("linux-amd64");
  BOOST_TEST(platform->lookup(arm64.layers[0].hex()) == nullptr);
}

BOOST_AUTO_TEST_CASE(a_platform_that_comes_later_is_shown_and_the_kernel_is_told) {
  const MadeImage arm64 = make_image("arm64", kArm64);
  const blobstore::Descriptor absent = make_image("amd64", kAmd64).descriptor;
  remove_blob(absent.digest);
  const blobstore::Descriptor index = make_index({arm64.descriptor, absent});
  add(index, "a.b/multi:1");
  const auto mount = tree();
  const fs::NodePtr directory = walk(*mount, kPath);
  const fs::NodeId platforms = directory->lookup("platforms")->id();
  BOOST_TEST((directory->lifetime() == fs::Lifetime::snapshot));
  BOOST_TEST(digest_at(*mount, kPath + "/manifest.json") == arm64.descriptor.digest.str());

  make_image("amd64", kAmd64);
  add(index, "a.b/multi:1", "2024-06-01T12:00:00Z");
  const fs::Tree::Changes changes = mount->reload();
  BOOST_TEST((std::ranges::find(changes.directories, platforms) != changes.directories.end()));
  BOOST_TEST(digest_at(*mount, kPath + "/manifest.json") == absent.digest.str());
  BOOST_TEST(names(*walk(*mount, kPath + "/platforms")).size() == 2U);
}

BOOST_AUTO_TEST_SUITE_END()
