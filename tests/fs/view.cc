#include "fs/view.h"

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
  return View(images, [](const blobstore::Digest&) { return timespec{.tv_sec = 5, .tv_nsec = 0}; });
}

std::vector<std::string> names(const View& view, const std::string& path) {
  std::vector<std::string> all;
  for (const auto& [name, child] : view.directory(path)->children) all.push_back(name);
  return all;
}

std::string familiar(const View& view, const std::string& directory, const std::string& name) {
  return view.familiar_target(*view.directory(directory), name).value_or("-");
}

using Names = std::vector<std::string>;

}  // namespace

BOOST_AUTO_TEST_CASE(names_make_a_tree) {
  const View view = view_of({image("docker.io/library/busybox:1.36"), image("ghcr.io/a/b/c:1"),
                             image("localhost:5000/x:y")});
  BOOST_TEST(names(view, "images") == (Names{"docker.io", "ghcr.io", "localhost:5000"}));
  BOOST_TEST(names(view, "images/docker.io/library") == Names{"busybox:1.36"});
  BOOST_TEST(names(view, "images/ghcr.io/a/b") == Names{"c:1"});
  BOOST_TEST(names(view, "images/localhost:5000") == Names{"x:y"});
  BOOST_TEST(view.directory("images/ghcr.io/b") == nullptr);
  BOOST_TEST(view.directory("images/docker.io/library/busybox:1.36") == nullptr);
  BOOST_TEST(view.directory("") == nullptr);
}

BOOST_AUTO_TEST_CASE(a_repository_is_a_directory_too_when_others_are_below_it) {
  const View view =
      view_of({image("docker.io/library/busybox:1"), image("docker.io/library/busybox/sub:1")});
  BOOST_TEST(names(view, "images/docker.io/library") == (Names{"busybox", "busybox:1"}));
  BOOST_TEST(names(view, "images/docker.io/library/busybox") == Names{"sub:1"});
}

BOOST_AUTO_TEST_CASE(images_without_a_name_stand_under_their_digest) {
  const std::string digest = blobstore::sha256("content").str();
  BOOST_TEST(names(view_of({image(std::nullopt)}), "images") == Names{digest});
  BOOST_TEST(names(view_of({image("1.36")}), "images/docker.io/library") == Names{"1.36:latest"});
  BOOST_TEST(names(view_of({image("No Name")}), "images") == Names{digest});
}

BOOST_AUTO_TEST_CASE(a_name_that_stands_twice_belongs_to_the_first) {
  const View view =
      view_of({image("docker.io/library/a:1", "one"), image("docker.io/library/a:1", "two")});
  BOOST_TEST(names(view, "images") == (Names{"docker.io", blobstore::sha256("two").str()}));
}

BOOST_AUTO_TEST_CASE(what_is_no_manifest_and_no_index_is_no_image) {
  Image other = image("docker.io/library/a:1");
  other.descriptor.media_type = "text/plain";
  BOOST_TEST(names(view_of({other}), "images").empty());
}

BOOST_AUTO_TEST_CASE(directories_are_as_young_as_their_newest_image) {
  const View view = view_of({image("docker.io/library/a:1", "one", "1970-01-01T00:00:20Z"),
                             image("docker.io/other/b:1", "two", "1970-01-01T00:00:30Z"),
                             image("docker.io/foreign/c:1", "three", "")});
  BOOST_TEST(view.directory("images")->mtime.tv_sec == 30);
  BOOST_TEST(view.directory("images/docker.io/library")->mtime.tv_sec == 20);
  BOOST_TEST(view.directory("images/docker.io/foreign")->mtime.tv_sec == 5);
}

BOOST_AUTO_TEST_CASE(familiar_names_lead_to_the_normalised_one) {
  const std::string digest = blobstore::sha256("content").str();
  const View view =
      view_of({image("docker.io/library/busybox:latest"), image("docker.io/library/busybox:1.36"),
               image("docker.io/library/pinned@" + digest), image("docker.io/grafana/grafana:9"),
               image("ghcr.io/a/b:latest")});
  BOOST_TEST(familiar(view, "images", "busybox") == "docker.io/library/busybox:latest");
  BOOST_TEST(familiar(view, "images", "busybox:1.36") == "docker.io/library/busybox:1.36");
  BOOST_TEST(familiar(view, "images", "pinned@" + digest) == "docker.io/library/pinned@" + digest);
  BOOST_TEST(familiar(view, "images", "library") == "docker.io/library");
  BOOST_TEST(familiar(view, "images", "grafana") == "docker.io/grafana");
  BOOST_TEST(familiar(view, "images/docker.io", "busybox") == "library/busybox:latest");
  BOOST_TEST(familiar(view, "images/docker.io/library", "busybox") == "busybox:latest");
  BOOST_TEST(familiar(view, "images/ghcr.io/a", "b") == "b:latest");
}

BOOST_AUTO_TEST_CASE(other_names_lead_nowhere) {
  const View view = view_of({image("docker.io/library/busybox:1.36"), image("docker.io/a/b:1")});
  for (const std::string name :
       {"busybox", "busybox:2", "", ".", "..", "%2e", "%2e%2e", "library/busybox:1.36", "a:1/b",
        "busybox:1.36/", "docker.io", "index.docker.io", "BusyBox:1.36", "localhost", "a.b"}) {
    BOOST_TEST(familiar(view, "images", name) == "-", name);
  }
  BOOST_TEST(familiar(view, "images", std::string(1000, 'a')) == "-");
  BOOST_TEST(familiar(view, "images", std::string("busybox:1.36\0", 13)) == "-");
  BOOST_TEST(familiar(view, "images/docker.io/a", "busybox:1.36") == "-");
}

BOOST_AUTO_TEST_CASE(a_listed_name_wins_over_a_familiar_one) {
  const View view =
      view_of({image("docker.io/library/localhost:5000"), image("localhost:5000/x:1")});
  BOOST_TEST(view.resolve("images", "localhost:5000") ==
             view.directory("images/localhost:5000")->id);
}

BOOST_AUTO_TEST_CASE(a_listing_keeps_its_order_when_names_come_and_go) {
  std::vector<Image> images;
  for (int i = 0; i < 100; ++i) images.push_back(image("a.b/x:" + std::to_string(i)));
  const View before = view_of(images);
  images.erase(images.begin() + 20, images.begin() + 40);
  images.push_back(image("a.b/x:new"));
  const View after = view_of(images);

  // One page of the old listing, the rest of the new one.
  std::multiset<std::string> seen;
  std::uint64_t cookie = 0;
  for (const auto& [next, child] : before.directory("images/a.b")->by_cookie) {
    if (seen.size() == 50) break;
    seen.insert(child->first);
    cookie = next;
  }
  const auto& rest = after.directory("images/a.b")->by_cookie;
  for (auto at = rest.upper_bound(cookie); at != rest.end(); ++at) seen.insert(at->second->first);

  for (int i = 0; i < 100; ++i) {
    const bool stays = i < 20 || i >= 40;
    const std::size_t count = seen.count("x:" + std::to_string(i));
    BOOST_TEST((stays ? count == 1 : count <= 1), i);
  }
}
