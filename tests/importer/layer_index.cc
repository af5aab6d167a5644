#include "importer/layer_index.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <limits>
#include <random>

#include "blobstore/error.h"
#include "importer/layer_index_builder.h"
#include "tests/support/layer_index_of.h"
#include "tests/support/layer_writer.h"

namespace imagefs::importer {
namespace {

using tests::LayerWriter;

// The newest record of a path, whatever became of the directories above.
const IndexRecord* find(const LayerIndex& index, std::string_view path) {
  DirectoryKey key = root_key();
  const LayerPath clean = clean_path(path);
  for (std::size_t i = 0; i + 1 < clean.components.size(); ++i) {
    key = child_key(key, clean.components[i]);
  }
  const auto found = index.find(index.directory(key), clean.components.back());
  return found ? &index.records()[*found] : nullptr;
}

IndexRecord get(const LayerIndex& index, std::string_view path) {
  const IndexRecord* const record = find(index, path);
  BOOST_REQUIRE_MESSAGE(record != nullptr, "no " << path);
  return *record;
}

std::size_t records_of(const tests::TarEntry& entry) {
  return tests::index_of(LayerWriter().add(entry).str())->records().size();
}

bool noted(const tests::BuiltIndex& built, const std::string& text) {
  return std::any_of(built.notes.begin(), built.notes.end(),
                     [&](const std::string& note) { return note.find(text) != std::string::npos; });
}

BOOST_AUTO_TEST_CASE(an_entry_is_found_with_its_attributes) {
  const auto index = tests::index_of(LayerWriter()
                                         .add({.name = "./a//b/f",
                                               .data = "content",
                                               .mode = 0107755,
                                               .uid = 12,
                                               .gid = 34,
                                               .pax = {{"mtime", "5.000000007"}}})
                                         .symlink("/a/s", "../target")
                                         .add({.type = '3', .name = "null", .major = 1, .minor = 3})
                                         .str());
  const IndexRecord file = get(*index, "a/b/f");
  BOOST_CHECK(file.kind == EntryKind::file);
  BOOST_CHECK_EQUAL(file.size, 7);
  BOOST_CHECK_EQUAL(file.mode, 07755);
  BOOST_CHECK_EQUAL(file.uid, 12);
  BOOST_CHECK_EQUAL(file.gid, 34);
  BOOST_CHECK_EQUAL(file.mtime, 5);
  BOOST_CHECK_EQUAL(file.nanoseconds, 7);
  BOOST_CHECK(get(*index, "a").kind == EntryKind::implied_directory);
  BOOST_CHECK_EQUAL(index->target(get(*index, "a/s")), "../target");
  BOOST_CHECK_EQUAL(get(*index, "null").data, makedev(1, 3));
  BOOST_CHECK(find(*index, "a/x") == nullptr);
}

BOOST_AUTO_TEST_CASE(names_that_no_path_can_have_are_left_out_and_noted) {
  for (const std::string& name : {std::string("a/../b"), std::string(".."), std::string(256, 'n'),
                                  std::string("/"), std::string("./"), std::string("d/.wh.x/f")}) {
    const auto built = tests::build_index(LayerWriter().file(name, "").str());
    BOOST_CHECK_EQUAL(built.index->records().size(), 0);
    BOOST_CHECK_EQUAL(built.notes.size(), 1);
  }
}

BOOST_AUTO_TEST_CASE(odd_names_are_kept_as_they_are) {
  for (const char* name : {"a\nb", "back\\slash", "\xff\xfe", "c:d", " ", "...", "wh.x"}) {
    BOOST_CHECK(find(*tests::index_of(LayerWriter().file(name, "").str()), name) != nullptr);
  }
}

BOOST_AUTO_TEST_CASE(deep_paths_are_walked) {
  std::string path;
  for (int i = 0; i < 4200; ++i) path += "d/";
  const auto index = tests::index_of(LayerWriter().file(path + "f", "").str());
  BOOST_CHECK_EQUAL(index->records().size(), 4201);
  BOOST_CHECK(find(*index, path + "f") != nullptr);
}

BOOST_AUTO_TEST_CASE(the_last_entry_of_a_name_comes_first_and_older_ones_stay) {
  const auto index =
      tests::index_of(LayerWriter().file("n", "file").directory("n").symlink("n", "t").str());
  const auto root = index->directory(root_key());
  BOOST_REQUIRE_EQUAL(root.end - root.begin, 3);
  const auto found = index->find(root, "n");
  BOOST_REQUIRE(found.has_value());
  BOOST_CHECK(index->records()[*found].kind == EntryKind::symlink);
  BOOST_CHECK(index->records()[*found].flags == entry_flag::kOlder);
  BOOST_CHECK(index->records()[*found + 1].kind == EntryKind::directory);
  BOOST_CHECK(index->records()[*found + 2].kind == EntryKind::file);
  BOOST_CHECK(index->records()[*found + 2].flags == 0);
}

BOOST_AUTO_TEST_CASE(a_directory_is_one_record_with_the_attributes_of_its_last_entry) {
  const auto index = tests::index_of(LayerWriter()
                                         .file("d/x", "")
                                         .directory("d", 0700)
                                         .file("other", "")
                                         .directory("d", 0711)
                                         .file("other", "")
                                         .file("d/y", "")
                                         .str());
  const IndexRecord record = get(*index, "d");
  BOOST_CHECK(record.kind == EntryKind::directory);
  BOOST_CHECK_EQUAL(record.mode, 0711);
  BOOST_CHECK_EQUAL(record.first, 1);
  BOOST_CHECK_EQUAL(record.entry, 4);
  BOOST_CHECK_EQUAL(record.last, 6);
  BOOST_CHECK_EQUAL(record.flags, 0);
}

BOOST_AUTO_TEST_CASE(whiteouts_count_by_their_name_whatever_their_type) {
  for (const char type : {'0', '1', '2', '5'}) {
    const auto index = tests::index_of(LayerWriter()
                                           .add({.type = type, .name = "d/.wh.x", .link = "y"})
                                           .add({.type = type, .name = "e/.wh..wh..opq"})
                                           .str());
    BOOST_CHECK(get(*index, "d/x").kind == EntryKind::none);
    BOOST_CHECK_EQUAL(get(*index, "d/x").flags, entry_flag::kWhiteout);
    BOOST_CHECK(get(*index, "e").kind == EntryKind::implied_directory);
    BOOST_CHECK_EQUAL(get(*index, "e").flags, entry_flag::kOpaque);
  }
}

BOOST_AUTO_TEST_CASE(a_whiteout_and_an_entry_of_one_name_are_both_kept) {
  for (const bool first : {true, false}) {
    LayerWriter layer;
    if (first) layer.file(".wh.f", "");
    layer.file("f", "new");
    if (!first) layer.file(".wh.f", "");
    const IndexRecord record = get(*tests::index_of(layer.str()), "f");
    BOOST_CHECK(record.kind == EntryKind::file);
    BOOST_CHECK_EQUAL(record.flags, entry_flag::kWhiteout);
  }
}

BOOST_AUTO_TEST_CASE(whiteouts_of_nothing_are_ignored_and_noted) {
  for (const char* name : {".wh.", ".wh..", ".wh..."}) {
    const auto built = tests::build_index(LayerWriter().file(name, "").str());
    BOOST_CHECK_EQUAL(built.index->records().size(), 0);
    BOOST_CHECK(noted(built, "a whiteout of nothing"));
  }
  BOOST_CHECK_EQUAL(records_of({.name = ".wh..wh.aufs"}), 0);
}

BOOST_AUTO_TEST_CASE(owners_beyond_32_bits_are_nobody) {
  for (const std::int64_t id : {1LL << 32, -1LL, 1LL << 40, (1LL << 32) - 1}) {
    const auto built = tests::build_index(LayerWriter().add({.name = "f", .uid = id}).str());
    BOOST_CHECK_EQUAL(get(*built.index, "f").uid, 65534);
    BOOST_CHECK(noted(built, "shown as 65534"));
  }
}

BOOST_AUTO_TEST_CASE(only_attributes_that_are_the_images_own_are_shown) {
  const std::string capability("\1\0\0\2", 4);
  const auto index =
      tests::index_of(LayerWriter()
                          .add({.name = "f",
                                .pax = {{"SCHILY.xattr.user.a", "1"},
                                        {"SCHILY.xattr.security.capability", capability},
                                        {"SCHILY.xattr.security.selinux", "x"},
                                        {"SCHILY.xattr.trusted.overlay.opaque", "y"},
                                        {"SCHILY.xattr.user.overlay.opaque", "y"},
                                        {"SCHILY.xattr.system.posix_acl_access", "x"},
                                        {"SCHILY.xattr.user.", "x"},
                                        {"SCHILY.xattr.", "x"}}})
                          .str());
  const auto xattrs = index->xattrs(get(*index, "f"));
  BOOST_REQUIRE_EQUAL(xattrs.size(), 2);
  BOOST_CHECK_EQUAL(xattrs[0].first, "security.capability");
  BOOST_CHECK_EQUAL(xattrs[0].second, capability);
  BOOST_CHECK_EQUAL(xattrs[1].first, "user.a");
}

BOOST_AUTO_TEST_CASE(attributes_over_a_limit_are_left_out_and_noted) {
  std::vector<std::pair<std::string, std::string>> pax;
  for (int i = 0; i < 100; ++i) {
    pax.emplace_back("SCHILY.xattr.user.a" + std::to_string(i), std::string("v\0", 2));
  }
  pax.emplace_back("SCHILY.xattr.user." + std::string(300, 'n'), "v");
  pax.emplace_back("SCHILY.xattr.user.big", std::string((64 << 10) + 1, 'v'));
  pax.emplace_back("SCHILY.xattr.user.huge", std::string(1 << 20, 'v'));
  const auto built = tests::build_index(LayerWriter().add({.name = "f", .pax = pax}).str());
  BOOST_CHECK_EQUAL(built.index->xattrs(get(*built.index, "f")).size(), 64);
  BOOST_CHECK(noted(built, "extended attributes"));
}

BOOST_AUTO_TEST_CASE(types_that_are_no_files_are_left_out_and_unknown_ones_are_files) {
  BOOST_CHECK_EQUAL(records_of({.type = 'V', .name = "v"}), 0);
  BOOST_CHECK_EQUAL(records_of({.type = '3', .name = "v", .major = 1 << 20}), 0);
  BOOST_CHECK_EQUAL(records_of({.type = '2', .name = "s"}), 0);
  for (const char type : {'7', 'Z'}) {
    const auto index =
        tests::index_of(LayerWriter().add({.type = type, .name = "f", .data = "d"}).str());
    BOOST_CHECK(get(*index, "f").kind == EntryKind::file);
  }
}

BOOST_AUTO_TEST_CASE(a_sparse_file_keeps_its_map_and_one_too_large_is_left_out) {
  const auto sparse = [](const std::string& size) {
    return tests::build_index(LayerWriter()
                                  .add({.name = "s",
                                        .data = "ab",
                                        .pax = {{"GNU.sparse.size", size},
                                                {"GNU.sparse.numblocks", "2"},
                                                {"GNU.sparse.map", "5,1,99,1"},
                                                {"SCHILY.xattr.user.a", "1"}}})
                                  .str());
  };
  const auto good = sparse("100");
  const SparseMap expected{{5, 1}, {99, 1}};
  BOOST_CHECK(good.index->sparse_map(get(*good.index, "s")) == expected);
  BOOST_CHECK_EQUAL(good.index->xattrs(get(*good.index, "s")).size(), 1);
  const auto huge = sparse("4611686018427387904");
  BOOST_CHECK(find(*huge.index, "s") == nullptr);
  BOOST_CHECK(noted(huge, "16 TiB"));
}

BOOST_AUTO_TEST_CASE(hard_links_are_found_by_their_target) {
  const auto built = tests::build_index(LayerWriter()
                                            .file("d/f", "x")
                                            .link("l1", "./d/f")
                                            .link("l2", "/d/f")
                                            .link("self", "self")
                                            .link("up", "../../x")
                                            .link("root", "/")
                                            .str());
  const auto links = built.index->links_to(child_key(child_key(root_key(), "d"), "f"));
  BOOST_REQUIRE_EQUAL(links.size(), 2);
  BOOST_CHECK_EQUAL(built.index->text(links[0].path, links[0].path_size), "l1");
  BOOST_CHECK_EQUAL(built.index->text(links[1].target_path, links[1].target_size), "d/f");
  BOOST_CHECK_EQUAL(built.index->target(get(*built.index, "l2")), "d/f");
  BOOST_CHECK_EQUAL(built.notes.size(), 3);
  BOOST_CHECK(find(*built.index, "self") == nullptr);
}

BOOST_AUTO_TEST_CASE(notes_are_counted_after_some) {
  LayerWriter layer;
  for (int i = 0; i < 1000; ++i) layer.file("../x", "");
  const auto built = tests::build_index(layer.str());
  BOOST_CHECK_EQUAL(built.notes.size(), 21);
  BOOST_CHECK_EQUAL(built.notes.back(), "980 more odd layer entries");
}

BOOST_AUTO_TEST_CASE(many_entries_in_any_order_are_sorted_through_a_scratch_file) {
  constexpr std::size_t kFiles = 3 * ExternalSort<IndexRecord>::kRunLength;
  std::vector<std::size_t> numbers(kFiles);
  for (std::size_t i = 0; i < kFiles; ++i) numbers[i] = i;
  std::shuffle(numbers.begin(), numbers.end(), std::mt19937(1));
  LayerIndexBuilder builder(-1);
  for (const std::size_t i : numbers) {
    builder.add({.name = "d" + std::to_string(i % 100) + "/f" + std::to_string(i), .size = i});
  }
  const CacheFile file = builder.finish(0);
  const auto index = LayerIndex::open(file.fd());
  BOOST_REQUIRE(index != nullptr);
  BOOST_CHECK_EQUAL(index->records().size(), kFiles + 100);
  for (std::size_t i = 0; i < kFiles; i += 97) {
    BOOST_CHECK_EQUAL(get(*index, "d" + std::to_string(i % 100) + "/f" + std::to_string(i)).size,
                      i);
  }
}

BOOST_AUTO_TEST_CASE(a_damaged_index_is_seen_when_it_is_opened) {
  LayerIndexBuilder builder(-1);
  builder.add({.name = "d/f", .size = 1});
  builder.add({.type = '1', .name = "l", .link = "d/f"});
  const CacheFile file = builder.finish(0);
  const auto size = lseek(file.fd(), 0, SEEK_END);
  BOOST_REQUIRE(LayerIndex::open(file.fd()) != nullptr);
  for (off_t at = 0; at < size; ++at) {
    char byte = 0;
    BOOST_REQUIRE_EQUAL(pread(file.fd(), &byte, 1, at), 1);
    const char damaged = static_cast<char>(byte ^ 0x10);
    BOOST_REQUIRE_EQUAL(pwrite(file.fd(), &damaged, 1, at), 1);
    BOOST_CHECK(LayerIndex::open(file.fd()) == nullptr);
    BOOST_REQUIRE_EQUAL(pwrite(file.fd(), &byte, 1, at), 1);
  }
  for (off_t length = 0; length < size; length += 7) {
    const UniqueFd cut(memfd_create("cut", MFD_CLOEXEC));
    std::string bytes(static_cast<std::size_t>(length), '\0');
    BOOST_REQUIRE_EQUAL(pread(file.fd(), bytes.data(), bytes.size(), 0), length);
    write_at(cut.get(), bytes.data(), bytes.size(), 0);
    BOOST_CHECK(LayerIndex::open(cut.get()) == nullptr);
  }
  BOOST_CHECK(LayerIndex::open(file.fd()) != nullptr);
}

// The errno value that `count` entries give, each in `depth` directories of its own.
int failure_of(int count, int depth, std::uint64_t min_free = 0) try {
  LayerIndexBuilder builder(-1, min_free);
  for (int i = 0; i < count; ++i) {
    std::string name = "d" + std::to_string(i);
    for (int level = 1; level < depth; ++level) name += "/d";
    builder.add({.name = name + "/f"});
  }
  (void)builder.finish(0);
  return 0;
} catch (const Error& error) {
  return error.errno_value();
}

BOOST_AUTO_TEST_CASE(a_small_layer_of_deep_paths_gets_no_huge_index) {
  BOOST_CHECK_EQUAL(failure_of(100, 500), 0);
  BOOST_CHECK_EQUAL(failure_of(50'000, 20), 0);
  BOOST_CHECK_EQUAL(failure_of(1000, 1000), EFBIG);
}

BOOST_AUTO_TEST_CASE(an_index_leaves_room_on_the_disk) {
  BOOST_CHECK_EQUAL(failure_of(1, 1, 1), 0);
  BOOST_CHECK_EQUAL(failure_of(1, 1, std::numeric_limits<std::uint64_t>::max()), ENOSPC);
}

BOOST_AUTO_TEST_CASE(an_empty_layer_has_an_empty_index) {
  const auto index = tests::index_of(LayerWriter().str());
  BOOST_REQUIRE(index != nullptr);
  BOOST_CHECK_EQUAL(index->records().size(), 0);
}

}  // namespace
}  // namespace imagefs::importer
