#include "fs/image_tar.h"

#include <boost/test/unit_test.hpp>
#include <filesystem>

#include "tests/fs/tree_fixture.h"

namespace imagefs::tests {
namespace {

std::size_t count_open(const std::filesystem::path& file) {
  std::size_t count = 0;
  for (const auto& each : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    if (std::filesystem::read_symlink(each, gone) == file) ++count;
  }
  return count;
}

BOOST_FIXTURE_TEST_CASE(a_blob_is_open_as_long_as_a_reader_has_the_archive_open, TreeFixture) {
  const MadeImage image = add_image("docker.io/library/x:1");
  fs::TreeOptions with_archive = options();
  with_archive.image_children = {{"image.tar", S_IFREG, fs::make_image_tar}};
  const fs::Tree tree(store, with_archive);
  const fs::NodePtr node = walk(tree, "images/docker.io/library/x:1/image.tar");
  BOOST_REQUIRE(node);
  const auto last = std::filesystem::canonical(blob_path(image.layers.back()));
  {
    const fs::ContentPtr reader = node->open();
    std::string bytes(reader->size(), '\0');
    BOOST_TEST(reader->read(std::as_writable_bytes(std::span(bytes)), 0) == bytes.size());
    BOOST_TEST(count_open(last) == 1U);
  }
  BOOST_TEST(count_open(last) == 0U);
}

}  // namespace
}  // namespace imagefs::tests
