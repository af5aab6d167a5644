#include "fs/overlay.h"

#include <boost/test/unit_test.hpp>
#include <cerrno>

#include "blobstore/error.h"
#include "importer/layer_index_builder.h"
#include "tests/support/layer_index_of.h"
#include "tests/support/layer_writer.h"

namespace imagefs::fs {
namespace {

using importer::EntryKind;
using tests::LayerWriter;

Overlay overlay_of(const std::vector<LayerWriter>& layers) {
  Overlay::Layers indexes;
  for (const LayerWriter& layer : layers) indexes.push_back(tests::index_of(layer.str()));
  return Overlay(std::move(indexes));
}

std::optional<Overlay::Found> find(const Overlay& overlay, std::string_view path) {
  std::optional<Overlay::Found> found = overlay.root();
  const importer::LayerPath clean = importer::clean_path(path);
  for (const std::string_view name : clean.components) {
    const auto* const directory = std::get_if<Overlay::Directory>(&*found);
    found = directory == nullptr ? std::nullopt : overlay.lookup(*directory, name);
    if (!found) break;
  }
  return found;
}

Overlay::Entry file(const Overlay& overlay, std::string_view path) {
  const auto found = find(overlay, path);
  BOOST_REQUIRE_MESSAGE(found && std::holds_alternative<Overlay::Entry>(*found), "no " << path);
  return std::get<Overlay::Entry>(*found);
}

bool is_directory(const Overlay& overlay, std::string_view path) {
  const auto found = find(overlay, path);
  return found && std::holds_alternative<Overlay::Directory>(*found);
}

std::vector<std::string> names(const Overlay& overlay, std::string_view path) {
  std::vector<std::string> names;
  overlay.list(std::get<Overlay::Directory>(find(overlay, path).value()), 0,
               [&](const Overlay::Listed& listed) {
                 names.emplace_back(listed.name);
                 return true;
               });
  return names;
}

void check_names(const Overlay& overlay, std::string_view path,
                 const std::vector<std::string>& expected) {
  const auto shown = names(overlay, path);
  BOOST_CHECK_EQUAL_COLLECTIONS(shown.begin(), shown.end(), expected.begin(), expected.end());
}

BOOST_AUTO_TEST_CASE(an_image_without_layers_has_an_empty_root) {
  const Overlay overlay = overlay_of({});
  check_names(overlay, "", {});
  BOOST_CHECK(!overlay.lookup(overlay.root(), "x"));
}

BOOST_AUTO_TEST_CASE(directories_are_merged_and_the_upper_entry_gives_the_attributes) {
  const Overlay overlay = overlay_of({LayerWriter().directory("d", 0700).file("d/a", "lower"),
                                      LayerWriter().file("d/b", "upper"),
                                      LayerWriter().directory("d", 0711).file("d/a", "top!")});
  check_names(overlay, "d", {"a", "b"});
  BOOST_CHECK_EQUAL(overlay.record(file(overlay, "d/a")).size, 4);
  const auto directory = std::get<Overlay::Directory>(*find(overlay, "d"));
  BOOST_CHECK_EQUAL(overlay.record(directory.attributes.value()).mode, 0711);
}

BOOST_AUTO_TEST_CASE(an_implied_directory_keeps_the_lower_attributes) {
  const Overlay overlay =
      overlay_of({LayerWriter().directory("d", 0700), LayerWriter().file("d/b", "")});
  const auto directory = std::get<Overlay::Directory>(*find(overlay, "d"));
  BOOST_CHECK_EQUAL(overlay.record(directory.attributes.value()).mode, 0700);
}

BOOST_AUTO_TEST_CASE(a_directory_of_one_layer_can_be_made_again_from_its_entry) {
  const Overlay overlay =
      overlay_of({LayerWriter()
                      .directory("one")
                      .file("one/a", "")
                      .directory("both")
                      .file("both/a", "")
                      .file("implied/a", ""),
                  LayerWriter().directory("empty").file("both/b", "").directory("one/d")});
  const auto sole = [&](const std::string& path) {
    return overlay.sole_entry(std::get<Overlay::Directory>(*find(overlay, path)));
  };
  for (const std::string path : {"empty", "one/d"}) {
    const auto directory = std::get<Overlay::Directory>(*find(overlay, path));
    BOOST_CHECK(overlay.directory(sole(path).value()) == directory);
  }
  for (const std::string path : {"one", "both", "implied"}) {
    BOOST_TEST_CONTEXT(path) BOOST_CHECK(!sole(path));
  }
}

BOOST_AUTO_TEST_CASE(a_whiteout_hides_only_what_is_below) {
  for (const bool first : {true, false}) {
    LayerWriter upper;
    if (first) upper.file("d/.wh.a", "");
    upper.file("d/a", "new").file("d/.wh.b", "");
    if (!first) upper.file("d/.wh.a", "");
    const Overlay overlay =
        overlay_of({LayerWriter().file("d/a", "old!").file("d/b", "").file("d/c", ""), upper});
    check_names(overlay, "d", {"a", "c"});
    BOOST_CHECK_EQUAL(overlay.record(file(overlay, "d/a")).size, 3);
  }
}

BOOST_AUTO_TEST_CASE(an_opaque_directory_hides_what_is_below_but_not_its_siblings) {
  const Overlay overlay =
      overlay_of({LayerWriter().directory("d", 0700).file("d/old", "").file("d/s/old", ""),
                  LayerWriter().file("d/new", "").file("d/s/new", "").file("d/.wh..wh..opq", "")});
  check_names(overlay, "d", {"new", "s"});
  check_names(overlay, "d/s", {"new"});
  const auto directory = std::get<Overlay::Directory>(*find(overlay, "d"));
  BOOST_CHECK_EQUAL(overlay.record(directory.attributes.value()).mode, 0700);
}

BOOST_AUTO_TEST_CASE(no_parent_is_looked_up_through_a_symlink) {
  const Overlay lower = overlay_of({LayerWriter().symlink("l", "/etc").file("etc/passwd", "root"),
                                    LayerWriter().file("l/passwd", "evil!")});
  BOOST_CHECK(is_directory(lower, "l"));
  check_names(lower, "l", {"passwd"});
  BOOST_CHECK_EQUAL(lower.record(file(lower, "etc/passwd")).size, 4);

  const Overlay same = overlay_of({LayerWriter().symlink("l", "/etc").file("l/passwd", "x")});
  check_names(same, "l", {"passwd"});
}

BOOST_AUTO_TEST_CASE(another_type_takes_the_place_of_all_that_was_there) {
  const Overlay overlay =
      overlay_of({LayerWriter().file("d/a", ""), LayerWriter().file("d", "file"),
                  LayerWriter().file("d/b", "")});
  check_names(overlay, "d", {"b"});
  const Overlay same =
      overlay_of({LayerWriter().file("d/a", "").file("d", "file").directory("d").file("d/b", "")});
  check_names(same, "d", {"b"});
}

BOOST_AUTO_TEST_CASE(hard_links_are_one_inode) {
  const Overlay overlay = overlay_of({LayerWriter().file("f", "x").link("l", "f").link("m", "l")});
  BOOST_CHECK(file(overlay, "l") == file(overlay, "f"));
  BOOST_CHECK(file(overlay, "m") == file(overlay, "f"));
  BOOST_CHECK_EQUAL(overlay.count_names(file(overlay, "f")), 3);
}

BOOST_AUTO_TEST_CASE(a_hard_link_keeps_what_its_target_was) {
  const Overlay overlay =
      overlay_of({LayerWriter().file("f", "old").link("l", "f").file("f", "newer")});
  BOOST_CHECK_EQUAL(overlay.record(file(overlay, "l")).size, 3);
  BOOST_CHECK_EQUAL(overlay.record(file(overlay, "f")).size, 5);
  BOOST_CHECK_EQUAL(overlay.count_names(file(overlay, "l")), 1);
}

BOOST_AUTO_TEST_CASE(a_hard_link_to_a_lower_file_is_another_name_of_it) {
  const Overlay overlay =
      overlay_of({LayerWriter().file("f", "x"), LayerWriter().link("d/l", "/f")});
  BOOST_CHECK(file(overlay, "d/l") == file(overlay, "f"));
  BOOST_CHECK_EQUAL(overlay.count_names(file(overlay, "f")), 2);
}

BOOST_AUTO_TEST_CASE(a_name_that_a_whiteout_took_does_not_count) {
  const Overlay overlay =
      overlay_of({LayerWriter().file("f", "x").link("l", "f"), LayerWriter().file(".wh.f", "")});
  BOOST_CHECK_EQUAL(overlay.count_names(file(overlay, "l")), 1);
}

BOOST_AUTO_TEST_CASE(hard_links_to_what_is_no_file_there_lead_nowhere) {
  const Overlay overlay =
      overlay_of({LayerWriter().file("gone", "x").directory("dir"), LayerWriter()
                                                                        .link("a", "missing")
                                                                        .link("b", "later")
                                                                        .link("c", "dir")
                                                                        .link("d", "gone")
                                                                        .link("e", "/etc/shadow")
                                                                        .file("later", "x")
                                                                        .file(".wh.gone", "")});
  check_names(overlay, "", {"dir", "later"});
  for (const char* name : {"a", "b", "c", "d", "e"}) BOOST_CHECK(!find(overlay, name));
}

BOOST_AUTO_TEST_CASE(a_hard_link_to_a_symlink_is_that_symlink) {
  const Overlay overlay = overlay_of({LayerWriter().symlink("s", "/x").link("l", "s")});
  BOOST_CHECK(overlay.record(file(overlay, "l")).kind == EntryKind::symlink);
}

BOOST_AUTO_TEST_CASE(hard_links_in_a_circle_lead_nowhere) {
  const Overlay overlay = overlay_of({LayerWriter().link("a", "b").link("b", "a")});
  BOOST_CHECK(!find(overlay, "a"));
  BOOST_CHECK(!find(overlay, "b"));
}

BOOST_AUTO_TEST_CASE(an_offset_of_another_directory_is_refused) {
  const Overlay overlay = overlay_of({LayerWriter().file("a/x", "").file("b/y", "")});
  std::uint64_t offset = 0;
  overlay.list(std::get<Overlay::Directory>(*find(overlay, "a")), 0, [&](const auto& listed) {
    offset = listed.next;
    return false;
  });
  const auto other = std::get<Overlay::Directory>(*find(overlay, "b"));
  for (const std::uint64_t bad : {offset, std::uint64_t{1}, ~std::uint64_t{0}}) {
    BOOST_CHECK_EXCEPTION(overlay.list(other, bad, [](const auto&) { return true; }), Error,
                          [](const Error& error) { return error.errno_value() == EINVAL; });
  }
}

BOOST_AUTO_TEST_CASE(many_layers_that_make_a_directory_anew_show_the_last) {
  importer::LayerIndexBuilder builder(-1);
  builder.add({.name = ".wh.d"});
  for (int i = 0; i < 10'000; ++i) builder.add({.name = "d/" + std::to_string(i)});
  const auto index = importer::LayerIndex::open(builder.finish(0).fd());
  const Overlay overlay(Overlay::Layers(127, index));
  const auto directory = std::get<Overlay::Directory>(*find(overlay, "d"));
  BOOST_CHECK_EQUAL(directory.parts.size(), 1);
  BOOST_CHECK_EQUAL(names(overlay, "d").size(), 10'000);
}

}  // namespace
}  // namespace imagefs::fs
