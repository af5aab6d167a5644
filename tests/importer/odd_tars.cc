// Tars that lie, and files that are none.

#include <boost/test/unit_test.hpp>
#include <cerrno>

#include "tests/importer/import_fixture.h"
#include "tests/support/compress.h"
#include "tests/support/image_archive.h"

namespace imagefs::tests {
namespace {

using test::compress;

using namespace std::string_literals;

constexpr std::size_t kBlock = 512;
constexpr std::size_t kSize = 124;  // where a header's size is

const std::string kLayer = layer_with("file", "content");
const std::string kConfig = config_for({kLayer});
const std::string kManifestJson = "[" + docker_entry("c.json", R"(["odd:1"])", {"l.tar"}) + "]";

// A good archive behind `start`.
std::string behind(const std::string& start) {
  return LayerWriter()
      .raw(start)
      .file("l.tar", kLayer)
      .file("c.json", kConfig)
      .file("manifest.json", kManifestJson)
      .str();
}

std::string with_field(std::size_t offset, const std::string& bytes) {
  std::string block = tar_header({.name = "crafted"}, 4);
  return with_checksum(block.replace(offset, bytes.size(), bytes)) + padded("data");
}

std::string extended(char type, const std::string& data) {
  return LayerWriter().add({.type = type, .name = "x", .data = data}).unfinished();
}

BOOST_FIXTURE_TEST_SUITE(odd_tars, ImportFixture)

BOOST_AUTO_TEST_CASE(the_archive_that_the_odd_entries_are_put_in_is_good) {
  BOOST_TEST(import(behind("")).images.size() == 1U);
  BOOST_TEST(
      import(behind(LayerWriter().file("/etc/passwd", "x").file("a/../../b", "x").unfinished()))
          .images.size() == 1U);
}

BOOST_AUTO_TEST_CASE(what_GNU_tar_adds_for_itself_is_passed_over) {
  for (const TarEntry& entry : {TarEntry{.type = 'V', .name = "label"},
                                TarEntry{.type = 'D', .name = "./", .data = "Nl.tar\0\0"s}}) {
    BOOST_TEST(import(behind(LayerWriter().add(entry).unfinished())).images.size() == 1U);
  }
}

BOOST_AUTO_TEST_CASE(entries_about_which_readers_disagree_are_refused) {
  const auto label = LayerWriter().add({.type = 'V', .name = "label", .data = "data"});
  BOOST_TEST(says(refusal(behind(label.unfinished())), EBADMSG, "label with data"));
  const auto link = LayerWriter().add({.type = '1', .name = "l", .data = "data", .link = "l.tar"});
  BOOST_TEST(says(refusal(behind(link.unfinished())), EBADMSG, "hard link with data"));
  BOOST_TEST(says(refusal(behind(LayerWriter().file("f/", "data").unfinished())), EBADMSG,
                  "named like a directory"));
}

BOOST_AUTO_TEST_CASE(long_names_that_readers_end_differently_are_refused) {
  const std::string entry = LayerWriter().file("crafted", "data").unfinished();
  const auto with_size = [&](std::string long_name, const std::string& size) {
    const std::string header = long_name.substr(0, kBlock).replace(kSize, size.size(), size);
    return with_checksum(header) + long_name.substr(kBlock);
  };
  const std::string name = extended('L', "longer");
  BOOST_TEST(import(behind(with_size(name, "00000000006") + entry)).images.size() == 1U);
  const std::string time = extended('x', pax_record("mtime", "1.5"));
  BOOST_TEST(import(behind(name + time + entry)).images.size() == 1U);
  for (const std::string& odd :
       {with_size(name, "00000000004"), extended('K', "\0"s), name + extended('L', "another"),
        name + extended('x', pax_record("path", "another")),
        name + extended('g', pax_record("comment", "forgets"))}) {
    BOOST_TEST(says(refusal(behind(odd + entry)), EBADMSG, "name or size that tools read differ"));
  }
}

BOOST_AUTO_TEST_CASE(what_some_readers_take_for_a_sparse_file_is_refused) {
  constexpr std::size_t kMap = 386;
  const std::string header =
      tar_header({.name = "crafted"}, 4, true).replace(kMap, 11, "00000000000");
  const std::string named = extended('x', pax_record("GNU.sparse.name", "another")) +
                            LayerWriter().file("crafted", "data").unfinished();
  for (const std::string& odd : {with_checksum(header) + padded("data"), named}) {
    BOOST_TEST(says(refusal(behind(odd)), EBADMSG, "name or size that tools read differ"));
  }
}

// libarchive refuses this checksum, Go and GNU tar do not.
BOOST_AUTO_TEST_CASE(an_entry_that_one_reader_refuses_is_not_taken_for_a_cut) {
  constexpr std::size_t kBehindChecksum = 154;
  std::string archive = behind("");
  archive.resize(archive.size() - 2 * kBlock);
  BOOST_TEST(import(archive).images.size() == 1U);
  const std::string header =
      with_checksum(tar_header({.name = "crafted"}, 0)).replace(kBehindChecksum, 2, "\0\xb4"s);
  const std::string cut = extended('x', pax_record("path", "another")).substr(0, 600);
  BOOST_TEST(says(refusal(archive + header + cut), EBADMSG, "is read differently by different"));
}

BOOST_AUTO_TEST_CASE(a_block_of_zeros_within_an_archive_is_refused_whatever_the_pieces) {
  const std::string archive = behind("");
  const std::string odd =
      archive.substr(0, archive.size() - kBlock) + LayerWriter().file("f", "").unfinished();
  for (const std::size_t piece : {odd.size(), odd.size() - kBlock}) {
    BOOST_TEST(says(refusal(odd, {}, piece), EBADMSG, "a block of zeros between entries"));
  }
}

// GNU tar and libarchive read the prefix of such a header, Go and busybox do not.
BOOST_AUTO_TEST_CASE(a_name_that_depends_on_the_header_s_version_is_refused) {
  std::string header = tar_header({.name = "crafted"}, 4);
  header.replace(263, 2, "0\0"s).replace(345, 6, "prefix");
  BOOST_TEST(says(refusal(behind(with_checksum(header) + padded("data"))), EBADMSG,
                  "\"crafted\" has a name that tools read differently"));
}

BOOST_AUTO_TEST_CASE(header_fields_that_lie_are_refused) {
  std::string sum = tar_header({.name = "crafted"}, 4);
  sum[0] = 'C';
  BOOST_TEST(says(refusal(behind(sum + padded("data"))), EINVAL, "no image archive"));
  BOOST_TEST(refusal(behind(LayerWriter().file("a", "a").raw(sum).unfinished())).errno_value() ==
             EBADMSG);
  const std::string first = LayerWriter().file("a", "a").unfinished();
  for (const std::string& size :
       {"-0000000001\0"s, std::string(12, '\xff'), "\x80\0\0\0\x40\0\0\0\0\0\0\0"s,
        "\x80\0\0\1\0\0\0\0\0\0\0\0"s, "12abc"s}) {
    const Error error = refusal(behind(first + with_field(kSize, size)));
    BOOST_TEST((error.errno_value() == EBADMSG || error.errno_value() == EFBIG));
  }
}

BOOST_AUTO_TEST_CASE(extended_headers_that_lie_are_refused) {
  for (const std::string& records :
       {pax_record("size", "-1"), pax_record("size", "9223372036854775808"),
        pax_record("size", "many"), pax_record("uid", "12abc"),
        pax_record("path", "manifest.json\0x"s), "99 path=crafted\n"s, "3 path=crafted\n"s,
        "xx path=crafted\n"s, "8 path1\n"s}) {
    const std::string odd =
        extended('x', records) + LayerWriter().file("crafted", "data").unfinished();
    const Error error = refusal(behind(odd), {}, 7);
    BOOST_TEST(error.errno_value() == EBADMSG);
  }
  BOOST_TEST(
      says(refusal(behind(extended('g', pax_record("path", "manifest.json")))), EBADMSG, "global"));
  BOOST_TEST(import(behind(extended('g', pax_record("comment", "git")))).images.size() == 1U);
}

BOOST_AUTO_TEST_CASE(extended_headers_of_gigabytes_are_refused_before_they_are_read) {
  for (const char type : {'x', 'g', 'L', 'K'}) {
    const std::string odd = tar_header({.type = type, .name = "x"}, 8ULL << 30);
    BOOST_TEST(says(refusal(behind(odd)), EBADMSG, "extended header"));
  }
}

BOOST_AUTO_TEST_CASE(too_many_attributes_are_refused) {
  LayerWriter tar;
  TarEntry entry{.name = "crafted", .data = "data"};
  for (int i = 0; i < 2000; ++i) {
    entry.pax.emplace_back("SCHILY.xattr.user.n" + std::to_string(i), "v");
  }
  BOOST_TEST(says(refusal(behind(tar.add(entry).unfinished())), EBADMSG, "attributes"));
}

BOOST_AUTO_TEST_CASE(the_extended_headers_size_wins) {
  std::string entry = extended('x', pax_record("size", std::to_string(kLayer.size())));
  entry += tar_header({.name = "l.tar"}, 0) + padded(kLayer);
  BOOST_TEST(import(LayerWriter()
                        .raw(entry)
                        .file("c.json", kConfig)
                        .file("manifest.json", kManifestJson)
                        .str())
                 .images.size() == 1U);
}

BOOST_AUTO_TEST_CASE(long_names_are_names) {
  for (const std::size_t length : {200UL, 4000UL}) {
    const std::string name(length, 'n');
    for (const std::size_t piece : {1UL, 1UL << 20}) {
      BOOST_TEST(
          import(LayerWriter()
                     .file(name, kLayer)
                     .raw(extended('L', "c" + name + '\0'))
                     .file("short", kConfig)
                     .file("manifest.json", "[" + docker_entry("c" + name, "[]", {name}) + "]")
                     .str(),
                 {}, piece)
              .images.size() == 1U);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_sparse_entry_is_not_supported) {
  TarEntry entry{.name = "crafted", .data = "data"};
  entry.pax = {{"GNU.sparse.major", "0"},
               {"GNU.sparse.minor", "1"},
               {"GNU.sparse.size", "4096"},
               {"GNU.sparse.numblocks", "1"},
               {"GNU.sparse.map", "0,4"}};
  BOOST_TEST(says(refusal(behind(LayerWriter().add(entry).unfinished())), EOPNOTSUPP, "sparse"));
}

BOOST_AUTO_TEST_CASE(each_file_that_is_no_image_archive_is_refused_in_its_own_words) {
  const std::string rest(2000, '\0');
  const std::pair<std::string, std::string> files[] = {
      {"\xff\xd8\xff\xe0\0\x10JFIF"s + rest, "JPEG"},
      {"\x7f"s + "ELF\2\1\1" + rest, "ELF"},
      {"PK\3\4" + rest, "zip"},
      {"7z\xbc\xaf\x27\x1c" + rest, "7z"},
      {"070701" + rest, "cpio"},
      {std::string(2000, 'x'), "does not start as a tar does"},
      {std::string(1024, '\0'), "holds no files"},
      {LayerWriter().file("bin/sh", "x").file("etc/passwd", "x").str(), "root filesystem"},
      {LayerWriter().file("repositories", "{}").file("1/layer.tar", kLayer).str(), "repositories"},
      {LayerWriter().file("readme", "x").str(), "neither manifest.json nor oci-layout"}};
  for (const auto& [bytes, words] : files) BOOST_TEST(says(refusal(bytes), EINVAL, words));
  BOOST_TEST(says(refusal(""), ENODATA, "empty"));
  BOOST_TEST(says(refusal("hello\n"), ENODATA, "ends after 6 bytes"));
  BOOST_TEST(says(refusal("{\"a\":1}"), EINVAL, "JSON"));
  BOOST_TEST(says(refusal("<html></html>"), EINVAL, "HTML"));
}

BOOST_AUTO_TEST_CASE(a_bomb_is_refused_at_the_ratio) {
  importer::Options options;
  options.limits.max_ratio = 10;
  options.limits.ratio_after = 64 << 20;
  const std::string zeros(80 << 20, '\0');
  const std::string odd = LayerWriter().file("zeros", zeros).unfinished();
  for (const auto compression : {importer::Compression::gzip, importer::Compression::zstd}) {
    const std::string archive = compress(compression, behind(odd));
    BOOST_TEST(says(refusal(archive, options), EFBIG, "times its size"));
    BOOST_TEST(import(archive).images.size() == 1U);
  }
}

BOOST_AUTO_TEST_CASE(many_small_files_need_no_descriptor_each) {
  LayerWriter tar;
  for (int i = 0; i < 5000; ++i) tar.file("small/" + std::to_string(i), "{}");
  BOOST_TEST(import(behind(tar.unfinished())).images.size() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace imagefs::tests
