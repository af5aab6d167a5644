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

using Ids = std::set<fs::NodeId>;

Ids changed(const View& before, const View& after) {
  const fs::Tree::Changes changes = compare(before, after);
  return {changes.directories.begin(), changes.directories.end()};
}

fs::NodeId id(const std::string& path) { return fs::make_node_id({path}); }

const auto kImages = id("images");
const auto kHub = id("images/docker.io");
const auto kLibrary = id("images/docker.io/library");

}  // namespace

BOOST_AUTO_TEST_CASE(nothing_changes_when_nothing_changed) {
  const std::vector<Image> images = {image("docker.io/library/a:1"), image(std::nullopt)};
  BOOST_TEST(changed(view_of(images), view_of(images)).empty());
}

BOOST_AUTO_TEST_CASE(a_new_name_changes_its_directory_and_no_other) {
  const View before = view_of({image("docker.io/library/a:1"), image("a.b/c/d:1")});
  const View after = view_of(
      {image("docker.io/library/a:1"), image("a.b/c/d:1"), image("docker.io/library/b:latest")});
  BOOST_CHECK(changed(before, after) == Ids{kLibrary});
}

BOOST_AUTO_TEST_CASE(times_of_the_directories_above_change_too) {
  const View before = view_of({image("docker.io/library/a:1")});
  const View after = view_of({image("docker.io/library/a:1"),
                              image("docker.io/library/b:1", "b", "1970-01-01T00:00:20Z")});
  BOOST_CHECK(changed(before, after) == (Ids{kImages, kHub, kLibrary}));
}

BOOST_AUTO_TEST_CASE(a_moved_tag_changes_its_directory) {
  const View before = view_of({image("docker.io/library/a:latest", "old")});
  const View after = view_of({image("docker.io/library/a:latest", "new")});
  BOOST_CHECK(changed(before, after) == Ids{kLibrary});
}

BOOST_AUTO_TEST_CASE(a_directory_that_is_gone_changes_with_all_below) {
  const View before = view_of({image("docker.io/x/y/z:1")});
  BOOST_CHECK(changed(before, view_of({})) ==
              (Ids{kImages, kHub, id("images/docker.io/x"), id("images/docker.io/x/y")}));
}

BOOST_AUTO_TEST_CASE(an_image_imported_again_may_have_more_platforms_now) {
  const View before = view_of({image("a.b/c:1")});
  const View after = view_of({image("a.b/c:1", "content", "1970-01-01T00:00:20Z")});
  BOOST_CHECK(changed(before, after).contains(before.resolve("images/a.b", "c:1")));
}
