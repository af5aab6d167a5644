#include "importer/layer_tar.h"

#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <cstddef>
#include <limits>
#include <vector>

#include "blobstore/error.h"
#include "tests/support/layer_writer.h"

namespace imagefs::importer {
namespace {

using tests::LayerWriter;
using tests::TarEntry;

std::vector<LayerEntry> read(const std::string& stream, std::size_t piece = 1 << 20) {
  std::vector<LayerEntry> entries;
  LayerTar tar([&](const LayerEntry& entry) { entries.push_back(entry); });
  const auto bytes = std::as_bytes(std::span(stream));
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    tar.append(bytes.subspan(at, std::min(piece, bytes.size() - at)));
  }
  tar.finish();
  return entries;
}

LayerEntry read_one(const TarEntry& entry) {
  const auto entries = read(LayerWriter().add(entry).str());
  BOOST_REQUIRE_EQUAL(entries.size(), 1);
  return entries[0];
}

bool is_corrupt(const Error& error) { return error.errno_value() == EBADMSG; }

void refuses(const std::string& stream) { BOOST_CHECK_EXCEPTION(read(stream), Error, is_corrupt); }

std::string data_at(const std::string& stream, const LayerEntry& entry, std::size_t length) {
  return stream.substr(entry.offset, length);
}

std::string gnu_long(char type, const std::string& text) {
  return tests::tar_header({.type = type, .name = "././@LongLink"}, text.size() + 1, true) +
         tests::padded(text + '\0');
}

TarEntry global(std::string_view key, std::string_view value) {
  return {.type = 'g', .name = "g", .data = tests::pax_record(key, value)};
}

std::string zero_block() { return std::string(kTarBlock, '\0'); }

BOOST_AUTO_TEST_CASE(entries_are_read_whatever_the_size_of_the_pieces) {
  const std::string stream = LayerWriter()
                                 .directory("etc")
                                 .file("etc/passwd", "root:x:0:0\n")
                                 .add({.name = std::string(300, 'n'), .data = "long"})
                                 .symlink("etc/mtab", "/proc/mounts")
                                 .str();
  for (const std::size_t piece : {1UL, 511UL, 512UL, 513UL, 1UL << 20}) {
    const auto entries = read(stream, piece);
    BOOST_REQUIRE_EQUAL(entries.size(), 4);
    BOOST_CHECK_EQUAL(entries[0].type, '5');
    BOOST_CHECK_EQUAL(data_at(stream, entries[1], entries[1].size), "root:x:0:0\n");
    BOOST_CHECK_EQUAL(entries[2].name, std::string(300, 'n'));
    BOOST_CHECK_EQUAL(data_at(stream, entries[2], entries[2].size), "long");
    BOOST_CHECK_EQUAL(entries[3].link, "/proc/mounts");
  }
}

BOOST_AUTO_TEST_CASE(numbers_beyond_octal_are_base_256) {
  const LayerEntry entry = read_one(
      {.name = "f", .uid = 1LL << 40, .gid = -1, .mtime = -5, .major = 1 << 24, .minor = 7});
  BOOST_CHECK_EQUAL(entry.uid, 1LL << 40);
  BOOST_CHECK_EQUAL(entry.gid, -1);
  BOOST_CHECK_EQUAL(entry.mtime.seconds, -5);
  BOOST_CHECK_EQUAL(entry.major, 1 << 24);
  BOOST_CHECK_EQUAL(entry.minor, 7);
}

BOOST_AUTO_TEST_CASE(pax_records_win_over_the_header) {
  const LayerEntry entry = read_one({.name = "short",
                                     .uid = 1,
                                     .pax = {{"path", "dir/\xff name\n"},
                                             {"uid", "4294967296"},
                                             {"mtime", "1700000000.25"},
                                             {"SCHILY.xattr.user.a", std::string("v\0w", 3)},
                                             {"comment", "ignored"}}});
  BOOST_CHECK_EQUAL(entry.name, "dir/\xff name\n");
  BOOST_CHECK_EQUAL(entry.uid, 4294967296);
  BOOST_CHECK((entry.mtime == TarTime{1'700'000'000, 250'000'000}));
  BOOST_CHECK_EQUAL(entry.xattrs.at("user.a"), std::string("v\0w", 3));
  BOOST_CHECK_EQUAL(entry.xattrs.size(), 1);
}

BOOST_AUTO_TEST_CASE(a_pax_size_wins_and_the_stream_stays_in_step) {
  const std::string records = tests::pax_record("size", "700");
  const std::string stream = LayerWriter()
                                 .raw(tests::tar_header({.type = 'x', .name = "x"}, records.size()))
                                 .raw(tests::padded(records))
                                 .raw(tests::tar_header({.name = "f"}, 0))
                                 .raw(tests::padded(std::string(700, 'd')))
                                 .file("next", "")
                                 .str();
  const auto entries = read(stream);
  BOOST_REQUIRE_EQUAL(entries.size(), 2);
  BOOST_CHECK_EQUAL(entries[0].size, 700);
  BOOST_CHECK_EQUAL(entries[1].name, "next");
}

BOOST_AUTO_TEST_CASE(gnu_long_names_and_links_are_read) {
  const std::string name(5000, 'n');
  const std::string target(200, 't');
  const auto entries = read(LayerWriter()
                                .raw(gnu_long('L', name))
                                .raw(gnu_long('K', target))
                                .raw(tests::tar_header({.type = '2', .name = "cut"}, 0, true))
                                .file("next", "")
                                .str());
  BOOST_REQUIRE_EQUAL(entries.size(), 2);
  BOOST_CHECK_EQUAL(entries[0].name, name);
  BOOST_CHECK_EQUAL(entries[0].link, target);
  BOOST_CHECK_EQUAL(entries[1].name, "next");
}

BOOST_AUTO_TEST_CASE(times_are_clamped_and_may_be_negative) {
  BOOST_CHECK((parse_pax_time("-1.25") == TarTime{-2, 750'000'000}));
  BOOST_CHECK((parse_pax_time("3.1234567899") == TarTime{3, 123'456'789}));
  BOOST_CHECK_EQUAL(parse_pax_time("99999999999999999999").seconds,
                    std::numeric_limits<std::int64_t>::max());
  for (const char* bad : {"", "x", "1.x", "--1", "+", "1e3"}) {
    BOOST_CHECK_EXCEPTION(static_cast<void>(parse_pax_time(bad)), Error, is_corrupt);
  }
}

BOOST_AUTO_TEST_CASE(an_old_header_marks_a_directory_by_its_slash) {
  BOOST_CHECK_EQUAL(read_one({.type = '\0', .name = "d/"}).type, '5');
  BOOST_CHECK_EQUAL(read_one({.type = '\0', .name = "f"}).type, '0');
}

BOOST_AUTO_TEST_CASE(links_and_directories_have_no_data_whatever_their_size_says) {
  const auto entries = read(LayerWriter()
                                .raw(tests::tar_header({.type = '5', .name = "d/"}, 4096))
                                .raw(tests::tar_header({.type = '1', .name = "l", .link = "f"}, 9))
                                .file("next", "")
                                .str());
  BOOST_REQUIRE_EQUAL(entries.size(), 3);
  BOOST_CHECK_EQUAL(entries[1].size, 0);
}

BOOST_AUTO_TEST_CASE(a_global_header_changes_nothing) {
  const auto entries = read(LayerWriter().add(global("path", "elsewhere")).file("f", "").str());
  BOOST_REQUIRE_EQUAL(entries.size(), 1);
  BOOST_CHECK_EQUAL(entries[0].name, "f");
}

BOOST_AUTO_TEST_CASE(headers_before_a_global_one_are_forgotten) {
  const auto entries = read(LayerWriter()
                                .raw(gnu_long('L', "elsewhere"))
                                .add(global("comment", "x"))
                                .file("f", "")
                                .str());
  BOOST_REQUIRE_EQUAL(entries.size(), 1);
  BOOST_CHECK_EQUAL(entries[0].name, "f");
}

BOOST_AUTO_TEST_CASE(sparse_files_of_pax_formats_are_read) {
  const SparseMap expected{{0, 3}, {1000, 2}};
  const std::string map_1_0 = tests::padded("2\n0\n3\n1000\n2\n");
  const std::string stream = LayerWriter()
                                 .add({.name = "GNUSparseFile.0/f",
                                       .data = "abcde",
                                       .pax = {{"GNU.sparse.size", "2000"},
                                               {"GNU.sparse.numblocks", "2"},
                                               {"GNU.sparse.offset", "0"},
                                               {"GNU.sparse.numbytes", "3"},
                                               {"GNU.sparse.offset", "1000"},
                                               {"GNU.sparse.numbytes", "2"}}})
                                 .add({.name = "GNUSparseFile.0/f",
                                       .data = "abcde",
                                       .pax = {{"GNU.sparse.major", "0"},
                                               {"GNU.sparse.minor", "1"},
                                               {"GNU.sparse.name", "f"},
                                               {"GNU.sparse.size", "2000"},
                                               {"GNU.sparse.numblocks", "2"},
                                               {"GNU.sparse.map", "0,3,1000,2"}}})
                                 .add({.name = "GNUSparseFile.0/f",
                                       .data = map_1_0 + "abcde",
                                       .pax = {{"GNU.sparse.major", "1"},
                                               {"GNU.sparse.minor", "0"},
                                               {"GNU.sparse.name", "f"},
                                               {"GNU.sparse.realsize", "2000"}}})
                                 .file("next", "")
                                 .str();
  const auto entries = read(stream);
  BOOST_REQUIRE_EQUAL(entries.size(), 4);
  for (std::size_t i = 0; i < 3; ++i) {
    BOOST_CHECK_EQUAL(entries[i].size, 2000);
    BOOST_REQUIRE(entries[i].sparse.has_value());
    BOOST_CHECK(*entries[i].sparse == expected);
    BOOST_CHECK_EQUAL(data_at(stream, entries[i], 5), "abcde");
  }
  BOOST_CHECK_EQUAL(entries[2].name, "f");
  BOOST_CHECK_EQUAL(entries[3].name, "next");
}

std::string old_sparse_number(std::uint64_t value) {
  std::string field(12, '\0');
  for (std::size_t i = 0; i < 11; ++i) {
    field[i] = static_cast<char>('0' + (value >> (3 * (10 - i)) & 7));
  }
  return field;
}

// A file of `segments` bytes, every second 512-byte block of which has one byte of data.
std::string old_sparse(std::size_t segments) {
  std::string header = tests::tar_header({.type = 'S', .name = "s"}, segments, true);
  std::string extensions;
  std::size_t place = 386;
  std::string* block = &header;
  for (std::size_t i = 0; i < segments; ++i) {
    const std::size_t in_extension = i < 4 ? 0 : (i - 4) % 21;
    if (i >= 4 && in_extension == 0) {
      if (extensions.empty()) header[482] = 1;
      if (!extensions.empty()) extensions[extensions.size() - kTarBlock + 504] = 1;
      extensions += zero_block();
    }
    block = i < 4 ? &header : &extensions;
    place = i < 4 ? 386 + i * 24 : extensions.size() - kTarBlock + in_extension * 24;
    block->replace(place, 12, old_sparse_number(i * 1024));
    block->replace(place + 12, 12, old_sparse_number(1));
  }
  header.replace(483, 12, old_sparse_number(segments * 1024));
  return tests::with_checksum(header) + extensions + tests::padded(std::string(segments, 'd'));
}

BOOST_AUTO_TEST_CASE(sparse_files_of_old_gnu_tar_are_read) {
  for (const std::size_t segments : {1UL, 4UL, 5UL, 25UL, 26UL, 100UL}) {
    const std::string stream = LayerWriter().raw(old_sparse(segments)).file("next", "").str();
    const auto entries = read(stream);
    BOOST_REQUIRE_EQUAL(entries.size(), 2);
    BOOST_CHECK_EQUAL(entries[0].type, '0');
    BOOST_CHECK_EQUAL(entries[0].size, segments * 1024);
    BOOST_CHECK_EQUAL(entries[0].sparse.value().size(), segments);
    BOOST_CHECK_EQUAL(data_at(stream, entries[0], segments), std::string(segments, 'd'));
  }
}

BOOST_AUTO_TEST_CASE(a_sparse_map_over_the_limit_is_left_aside) {
  const std::size_t too_many = kMaxSegments + 1;
  const auto old = read(LayerWriter().raw(old_sparse(too_many)).file("next", "").str());
  BOOST_REQUIRE_EQUAL(old.size(), 2);
  BOOST_CHECK(old[0].map_too_long);

  const auto pax = read(LayerWriter()
                            .add({.name = "s",
                                  .data = tests::padded("999999999\n0\n1\n") + "d",
                                  .pax = {{"GNU.sparse.major", "1"},
                                          {"GNU.sparse.minor", "0"},
                                          {"GNU.sparse.realsize", "5"}}})
                            .file("next", "")
                            .str());
  BOOST_REQUIRE_EQUAL(pax.size(), 2);
  BOOST_CHECK(pax[0].map_too_long);
  BOOST_CHECK_EQUAL(pax[1].name, "next");
}

std::string sparse_0_1(const std::string& count, const std::string& map, const std::string& size) {
  return LayerWriter()
      .add({.name = "s",
            .data = "abcdef",
            .pax = {{"GNU.sparse.size", size},
                    {"GNU.sparse.numblocks", count},
                    {"GNU.sparse.map", map}}})
      .str();
}

BOOST_AUTO_TEST_CASE(sparse_maps_that_make_no_sense_are_refused) {
  BOOST_CHECK_EQUAL(read(sparse_0_1("2", "0,3,3,3", "6")).size(), 1);
  refuses(sparse_0_1("2", "0,3,2,3", "6"));  // overlap
  refuses(sparse_0_1("2", "3,3,0,3", "6"));  // backwards
  refuses(sparse_0_1("1", "0,7", "100"));    // more than the stream has
  refuses(sparse_0_1("1", "5,2", "6"));      // beyond the end
  refuses(sparse_0_1("1", "-1,2", "6"));
  refuses(sparse_0_1("1", "1,-2", "6"));
  refuses(sparse_0_1("2", "0,1", "6"));  // another number of segments
  refuses(sparse_0_1("1", "0", "6"));
  refuses(sparse_0_1("1", "0,1", "-6"));
  refuses(sparse_0_1("1", "9223372036854775807,9223372036854775807", "6"));
}

BOOST_AUTO_TEST_CASE(damaged_headers_are_refused) {
  const std::string good = LayerWriter().file("f", "data").str();
  std::string flipped = good;
  flipped[0] = 'g';
  refuses(flipped);

  std::string no_octal = tests::tar_header({.name = "f"}, 0);
  no_octal.replace(124, 12, "-0000000001\0");
  refuses(LayerWriter().raw(tests::with_checksum(no_octal)).str());

  refuses(LayerWriter().raw(tests::tar_header({.name = "f"}, 1ULL << 62)).str());
  refuses(LayerWriter().add({.name = "f", .pax = {{"size", "-1"}}}).str());
  refuses(LayerWriter().add({.name = "f", .pax = {{"size", "9223372036854775808"}}}).str());
  refuses(LayerWriter().raw(zero_block()).file("f", "").str());
}

BOOST_AUTO_TEST_CASE(damaged_extended_headers_are_refused) {
  const auto with_records = [](const std::string& records) {
    return LayerWriter()
        .raw(tests::tar_header({.type = 'x', .name = "x"}, records.size()))
        .raw(tests::padded(records))
        .file("f", "")
        .str();
  };
  BOOST_CHECK_EQUAL(read(with_records(tests::pax_record("path", "p"))).size(), 1);
  for (const char* bad :
       {"path=p\n", "99 path=p\n", "11 path=p\n", "8 path=p\n", "x path=p\n", "11 path=pqr",
        "-9 path=p\n", "4 a=\n", "6 =bc\n", "9 path p\n", "3 \n"}) {
    refuses(with_records(bad));
  }
  refuses(with_records(tests::pax_record("path", std::string_view("a\0b", 3))));
  refuses(LayerWriter()
              .raw(tests::tar_header({.type = 'x', .name = "x"}, 8ULL << 30))
              .file("f", "")
              .str());
  refuses(LayerWriter()
              .raw(tests::tar_header({.type = 'L', .name = "L"}, 8ULL << 30, true))
              .file("f", "")
              .str());
}

BOOST_AUTO_TEST_CASE(a_stream_that_is_cut_within_an_entry_is_refused) {
  const std::string data(1000, 'd');
  const std::string stream = LayerWriter().file("f", data).unfinished();
  for (std::size_t length = 0; length <= stream.size(); ++length) {
    const bool whole = length == 0 || length >= kTarBlock + data.size();
    LayerTar tar([](const LayerEntry&) {});
    tar.append(std::as_bytes(std::span(stream)).first(length));
    if (whole) {
      BOOST_CHECK_NO_THROW(tar.finish());
    } else {
      BOOST_CHECK_EXCEPTION(tar.finish(), Error, is_corrupt);
    }
  }
}

BOOST_AUTO_TEST_CASE(what_follows_the_marker_is_ignored) {
  const std::string stream = LayerWriter().file("f", "").str();
  BOOST_CHECK_EQUAL(read(stream + "anything").size(), 1);
}

}  // namespace
}  // namespace imagefs::importer
