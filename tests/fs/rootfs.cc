// What rootfs/ shows of its layers.
#include "fs/rootfs.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <array>
#include <boost/test/unit_test.hpp>

#include "blobstore/error.h"
#include "tests/fs/rootfs_fixture.h"
#include "tests/support/layer_writer.h"

namespace imagefs::fs {
namespace {

using namespace test;
using tests::LayerWriter;

struct Name {
  std::string name;
  NodeId id;
  mode_t type;
};

std::vector<Name> list(const Node& directory) {
  std::vector<Name> names;
  directory.list(0, [&](const ListedName& listed) {
    names.push_back({std::string(listed.name), listed.id, listed.type});
    return true;
  });
  return names;
}

BOOST_AUTO_TEST_CASE(files_of_plain_and_compressed_layers_are_read) {
  const std::string big(300'000, 'b');
  const std::string lower = LayerWriter().file("a", "plain").file("both", "lower").str();
  const std::string upper = LayerWriter().file("big", big).file("both", "upper!").str();
  const RootfsFixture image({lower, gzip(upper)});
  BOOST_CHECK_EQUAL(image.read("a"), "plain");
  BOOST_CHECK_EQUAL(image.read("both"), "upper!");
  BOOST_CHECK(image.read("big") == big);
}

BOOST_AUTO_TEST_CASE(attributes_are_those_of_the_entry) {
  const RootfsFixture image(
      {LayerWriter()
           .add({.name = "f",
                 .data = std::string(1000, 'd'),
                 .mode = 04755,
                 .uid = 12,
                 .gid = 34,
                 .pax = {{"mtime", "1700000000.5"}}})
           .symlink("s", "../target")
           .add({.type = '4', .name = "disk", .mode = 0660, .major = 8, .minor = 1})
           .add({.type = '6', .name = "pipe"})
           .str()});
  const struct stat st = image.get("f")->attributes();
  BOOST_CHECK_EQUAL(st.st_mode, S_IFREG | 04755);
  BOOST_CHECK_EQUAL(st.st_uid, 12);
  BOOST_CHECK_EQUAL(st.st_gid, 34);
  BOOST_CHECK_EQUAL(st.st_size, 1000);
  BOOST_CHECK_EQUAL(st.st_blocks, 2);
  BOOST_CHECK_EQUAL(st.st_nlink, 1);
  BOOST_CHECK_EQUAL(st.st_mtim.tv_sec, 1'700'000'000);
  BOOST_CHECK_EQUAL(st.st_mtim.tv_nsec, 500'000'000);
  BOOST_CHECK_EQUAL(image.get("s")->target(), "../target");
  BOOST_CHECK_EQUAL(image.get("s")->attributes().st_size, 9);
  BOOST_CHECK_EQUAL(image.get("disk")->attributes().st_mode, S_IFBLK | 0660);
  BOOST_CHECK_EQUAL(image.get("disk")->attributes().st_rdev, makedev(8, 1));
  BOOST_CHECK_EQUAL(image.get("pipe")->attributes().st_mode & S_IFMT, S_IFIFO);
  BOOST_CHECK_THROW(static_cast<void>(image.get("disk")->open()), Error);
}

BOOST_AUTO_TEST_CASE(directories_count_their_subdirectories) {
  const RootfsFixture image(
      {LayerWriter().directory("d", 01777).file("d/a/x", "").file("d/b", "").str(),
       LayerWriter().file("d/c/y", "").file("d/.wh.b", "").str()});
  const struct stat st = image.get("d")->attributes();
  BOOST_CHECK_EQUAL(st.st_mode, S_IFDIR | 01777);
  BOOST_CHECK_EQUAL(st.st_nlink, 4);
  BOOST_CHECK_EQUAL(image.get("d/a")->attributes().st_mode, S_IFDIR | 0755);
  BOOST_CHECK_EQUAL(image.open_root()->attributes().st_nlink, 3);
}

BOOST_AUTO_TEST_CASE(what_is_listed_has_the_id_and_type_that_a_lookup_gives) {
  const RootfsFixture image(
      {LayerWriter().file("d/f", "x").link("l", "d/f").symlink("s", "x").str(),
       LayerWriter().link("m", "d/f").str()});
  const NodePtr root = image.open_root();
  const auto names = list(*root);
  BOOST_REQUIRE_EQUAL(names.size(), 4);
  for (const Name& name : names) {
    const NodePtr node = root->lookup(name.name);
    BOOST_REQUIRE(node);
    BOOST_CHECK_EQUAL(node->id(), name.id);
    BOOST_CHECK_EQUAL(node->attributes().st_ino, name.id);
    BOOST_CHECK_EQUAL(node->attributes().st_mode & S_IFMT, name.type);
  }
  BOOST_CHECK_EQUAL(image.get("l")->id(), image.get("d/f")->id());
  BOOST_CHECK_EQUAL(image.get("m")->id(), image.get("d/f")->id());
  BOOST_CHECK_EQUAL(image.get("m")->attributes().st_nlink, 3);
}

BOOST_AUTO_TEST_CASE(nodes_are_made_again_by_their_recipes) {
  const RootfsFixture image({LayerWriter().directory("d").file("d/f", "lower").str(),
                             LayerWriter().directory("e", 0711).symlink("e/l", "f").str()});
  for (const std::string path : {"d", "d/f", "e", "e/l"}) {
    BOOST_TEST_CONTEXT(path) {
      const NodePtr node = image.get(path);
      const NodeRecipe recipe = node->recipe().value();
      const NodePtr again = recipe.maker->make(recipe.key);
      BOOST_CHECK_EQUAL(again->id(), node->id());
      BOOST_CHECK_EQUAL(again->attributes().st_mode, node->attributes().st_mode);
      BOOST_CHECK_EQUAL(again->attributes().st_size, node->attributes().st_size);
    }
  }
}

BOOST_AUTO_TEST_CASE(ids_survive_a_restart_and_differ_between_paths) {
  RootfsFixture image({LayerWriter().file("d/f", "x").str()});
  const NodeId file = image.get("d/f")->id();
  const NodeId directory = image.get("d")->id();
  image.open();
  BOOST_CHECK_EQUAL(image.get("d/f")->id(), file);
  BOOST_CHECK_EQUAL(image.get("d")->id(), directory);
  const NodePtr elsewhere = image.open_root("images/docker.io/library/y:1");
  BOOST_CHECK_NE(elsewhere->id(), image.root()->id());
  BOOST_CHECK_NE(elsewhere->lookup("d")->id(), directory);
}

BOOST_AUTO_TEST_CASE(sparse_files_read_as_zeros_between_their_data) {
  const RootfsFixture image({LayerWriter()
                                 .add({.name = "s",
                                       .data = "abcde",
                                       .pax = {{"GNU.sparse.size", "5000"},
                                               {"GNU.sparse.numblocks", "3"},
                                               {"GNU.sparse.map", "10,2,4000,3,5000,0"}}})
                                 .str()});
  std::string expected(5000, '\0');
  expected.replace(10, 2, "ab");
  expected.replace(4000, 3, "cde");
  BOOST_CHECK(image.read("s") == expected);
  BOOST_CHECK_EQUAL(image.get("s")->attributes().st_size, 5000);
  BOOST_CHECK_EQUAL(image.get("s")->attributes().st_blocks, 1);
  const ContentPtr content = image.get("s")->open();
  for (std::size_t offset = 0; offset < 5000; offset += 3) {
    std::array<char, 7> piece{};
    const std::size_t count = content->read(std::as_writable_bytes(std::span(piece)), offset);
    BOOST_CHECK_EQUAL(std::string(piece.data(), count), expected.substr(offset, 7));
  }
}

BOOST_AUTO_TEST_CASE(the_holes_of_sparse_files_are_found) {
  const auto sparse = [](const std::string& name, const std::string& count,
                         const std::string& map) {
    return imagefs::tests::TarEntry{
        .name = name,
        .data = "abcde",
        .pax = {{"GNU.sparse.size", "5000"},
                {"GNU.sparse.numblocks", count},
                {"GNU.sparse.map", map}},
    };
  };
  const RootfsFixture image({LayerWriter()
                                 .add(sparse("middle", "5", "10,2,12,0,12,1,4000,2,5000,0"))
                                 .add(sparse("ends", "2", "0,3,4998,2"))
                                 .file("full", "abc")
                                 .str()});
  const ContentPtr middle = image.get("middle")->open();
  BOOST_TEST(middle->next_data(0).value() == 10U);
  BOOST_TEST(middle->next_data(12).value() == 12U);
  BOOST_TEST(middle->next_data(13).value() == 4000U);
  BOOST_TEST(!middle->next_data(4002));
  BOOST_TEST(middle->next_hole(0) == 0U);
  BOOST_TEST(middle->next_hole(10) == 13U);
  BOOST_TEST(middle->next_hole(4001) == 4002U);
  BOOST_TEST(middle->next_hole(4999) == 4999U);
  const ContentPtr ends = image.get("ends")->open();
  BOOST_TEST(ends->next_data(0).value() == 0U);
  BOOST_TEST(ends->next_hole(0) == 3U);
  BOOST_TEST(ends->next_data(3).value() == 4998U);
  BOOST_TEST(ends->next_hole(4998) == 5000U);
  const ContentPtr full = image.get("full")->open();
  BOOST_TEST(full->next_data(2).value() == 2U);
  BOOST_TEST(full->next_hole(0) == 3U);
}

BOOST_AUTO_TEST_CASE(extended_attributes_are_shown) {
  const RootfsFixture image(
      {LayerWriter()
           .add({.name = "f", .pax = {{"SCHILY.xattr.user.a", "1"}}})
           .add({.type = '5', .name = "d/", .pax = {{"SCHILY.xattr.user.b", "2"}}})
           .str()});
  BOOST_CHECK_EQUAL(image.get("f")->xattr("user.a").value(), "1");
  BOOST_CHECK(!image.get("f")->xattr("user.b"));
  BOOST_CHECK_EQUAL(image.get("d")->xattr_names().size(), 1);
  BOOST_CHECK_EQUAL(image.get("d")->xattr("user.b").value(), "2");
  BOOST_CHECK(image.open_root()->xattr_names().empty());
}

BOOST_AUTO_TEST_CASE(an_image_without_layers_has_an_empty_rootfs) {
  const RootfsFixture image({});
  BOOST_CHECK(list(*image.open_root()).empty());
  BOOST_CHECK_EQUAL(image.root()->attributes().st_mode, S_IFDIR | 0755);
}

}  // namespace
}  // namespace imagefs::fs
