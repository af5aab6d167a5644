#include "fs/view_changes.h"

#include <boost/test/unit_test.hpp>
#include <set>

using namespace imagefs;
using blobstore::Image;
using fs::View;

namespace {

Image image(const std::optional<std::string>& name, const std::string& content = "content",
            const std::string& imported = "1970-01-01T00:00:10Z") {
  return {.descriptor = {.media_type = blobstore::media_type::kOciManifest,
                         .digest = blobstore::sha256(content),
                         .size = 1},
          .name = name,
          .imported = imported,
          .superseded = {}};
}

View view_of(const std::vector<Image>& images) {
  return View(images, [](const blobstore::Digest&) { return timespec{}; });
}

struct Changed {
  std::set<fs::NodeId> directories;
  std::set<std::pair<fs::NodeId, std::string>> names;
};

Changed changed(const View& before, const View& after) {
  const fs::Tree::Changes changes = compare(before, after, {"manifest.json"});
  Changed sets{{changes.directories.begin(), changes.directories.end()}, {}};
  for (const auto& name : changes.names) sets.names.emplace(name.parent, name.name);
  return sets;
}

fs::NodeId id(const std::string& path) { return fs::make_node_id({path}); }

const auto kImages = id("images");
const auto kHub = id("images/docker.io");
const auto kLibrary = id("images/docker.io/library");

using Ids = std::set<fs::NodeId>;

}  // namespace

BOOST_AUTO_TEST_CASE(nothing_changes_when_nothing_changed) {
  const std::vector<Image> images = {image("docker.io/library/a:1"), image(std::nullopt)};
  const Changed changes = changed(view_of(images), view_of(images));
  BOOST_TEST(changes.directories.empty());
  BOOST_TEST(changes.names.empty());
}

BOOST_AUTO_TEST_CASE(a_new_name_changes_its_directory_and_no_other) {
  const View before = view_of({image("docker.io/library/a:1"), image("a.b/c/d:1")});
  const View after = view_of(
      {image("docker.io/library/a:1"), image("a.b/c/d:1"), image("docker.io/library/b:latest")});
  const Changed changes = changed(before, after);
  BOOST_CHECK(changes.directories == Ids{kLibrary});
  BOOST_TEST(changes.names.empty());
}

BOOST_AUTO_TEST_CASE(times_of_the_directories_above_change_too) {
  const View before = view_of({image("docker.io/library/a:1")});
  const View after = view_of({image("docker.io/library/a:1"),
                              image("docker.io/library/b:1", "b", "1970-01-01T00:00:20Z")});
  BOOST_CHECK(changed(before, after).directories == (Ids{kImages, kHub, kLibrary}));
}

BOOST_AUTO_TEST_CASE(a_moved_tag_is_another_node) {
  const View before = view_of({image("docker.io/library/a:latest", "old")});
  const View after = view_of({image("docker.io/library/a:latest", "new")});
  const Changed changes = changed(before, after);
  BOOST_TEST(changes.names.contains({kLibrary, "a:latest"}));
  BOOST_TEST(changes.directories.contains(kLibrary));
  // The symlinks of its familiar names lead to the same path as before.
  BOOST_TEST(changes.names.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_name_that_is_gone_takes_its_other_spellings_along) {
  const View before =
      view_of({image("docker.io/library/a:latest"), image("docker.io/library/b:1")});
  const View after = view_of({image("docker.io/library/b:1")});
  const Changed changes = changed(before, after);
  const std::set<std::pair<fs::NodeId, std::string>> expected = {
      {kLibrary, "a:latest"}, {kLibrary, "a"},      {kHub, "a:latest"}, {kHub, "a"},
      {kImages, "a"},         {kImages, "a:latest"}};
  BOOST_CHECK(changes.names == expected);
}

BOOST_AUTO_TEST_CASE(a_directory_that_is_gone_changes_with_all_below) {
  const View before = view_of({image("docker.io/x/y/z:1")});
  const Changed changes = changed(before, view_of({}));
  BOOST_CHECK(changes.directories ==
              (Ids{kImages, kHub, id("images/docker.io/x"), id("images/docker.io/x/y")}));
  BOOST_TEST(changes.names.contains({kImages, "docker.io"}));
  BOOST_TEST(changes.names.contains({kHub, "x"}));
  BOOST_TEST(changes.names.contains({kImages, "x"}));  // the symlink to it
}

BOOST_AUTO_TEST_CASE(a_new_domain_takes_the_place_of_a_familiar_name) {
  const Image familiar = image("docker.io/library/localhost:5000");
  const View before = view_of({familiar});
  const View after = view_of({familiar, image("localhost:5000/x:1")});
  BOOST_TEST(changed(before, after).names.contains({kImages, "localhost:5000"}));
}

BOOST_AUTO_TEST_CASE(an_image_imported_again_may_have_more_platforms_now) {
  const View before = view_of({image("a.b/c:1")});
  const View after = view_of({image("a.b/c:1", "content", "1970-01-01T00:00:20Z")});
  const fs::NodeId directory = before.resolve("images/a.b", "c:1");
  const Changed changes = changed(before, after);
  BOOST_TEST(changes.directories.contains(directory));
  BOOST_TEST(changes.names.contains({directory, "manifest.json"}));
}
