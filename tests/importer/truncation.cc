// Where an archive may end, and what is said when it ends elsewhere.

#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <random>

#include "tests/importer/import_fixture.h"
#include "tests/support/compress.h"
#include "tests/support/image_archive.h"

namespace imagefs::tests {
namespace {

using test::compress;

const std::string kLayer = layer_with("file", "content");
const std::string kConfig = config_for({kLayer});
const std::string kManifestJson = "[" + docker_entry("c.json", R"(["cut:1"])", {"l.tar"}) + "]";

// Without the end-of-archive marker.
std::string entries() {
  return LayerWriter()
      .file("manifest.json", kManifestJson)
      .file("c.json", kConfig)
      .file("l.tar", kLayer)
      .unfinished();
}

// Bytes of `entries()` up to the end of the last entry's data.
std::size_t whole_size() { return entries().size(); }

BOOST_FIXTURE_TEST_SUITE(truncation, ImportFixture)

BOOST_AUTO_TEST_CASE(an_archive_cut_anywhere_is_refused) {
  const std::string archive = entries();
  for (std::size_t size = 0; size < whole_size(); size += 512) {
    BOOST_TEST(refusal(archive.substr(0, size)).errno_value() == ENODATA);
  }
  std::mt19937 random(36);  // the same cuts each time
  for (int i = 0; i < 200; ++i) {
    BOOST_TEST(refusal(archive.substr(0, random() % whole_size())).errno_value() == ENODATA);
  }
}

BOOST_AUTO_TEST_CASE(a_missing_marker_is_forgiven_when_all_is_there) {
  for (const std::string& end : {std::string(), std::string(512, '\0'), std::string(100, '\0')}) {
    const auto outcome = import(entries() + end);
    BOOST_TEST(outcome.images.size() == 1U);
    BOOST_TEST(outcome.notes.size() == 1U);
  }
}

BOOST_AUTO_TEST_CASE(a_stream_that_is_cut_in_its_compression_is_refused) {
  const std::string archive = compress(importer::Compression::gzip, entries());
  for (const std::size_t size : {5UL, archive.size() / 2, archive.size() - 1}) {
    BOOST_TEST(refusal(archive.substr(0, size)).errno_value() == ENODATA);
  }
}

BOOST_AUTO_TEST_CASE(compression_that_is_cut_before_anything_came_out_is_not_called_empty) {
  using importer::Compression;
  for (const Compression format : {Compression::gzip, Compression::zstd, Compression::xz,
                                   Compression::bzip2, Compression::lz4}) {
    const std::string archive = compress(format, entries());
    const Error error = refusal(archive.substr(0, 20));
    BOOST_TEST(says(error, ENODATA, "its " + name(format) + " stream has no end after 20 bytes"));
  }
}

BOOST_AUTO_TEST_CASE(what_follows_the_marker_is_ignored) {
  const std::string marker(1024, '\0');
  const std::string late = LayerWriter().file("manifest.json", "[]").unfinished();
  BOOST_TEST(import(entries() + marker + late).images.size() == 1U);
  BOOST_TEST(import(entries() + marker + std::string(3 << 20, '\0')).notes.empty());
  BOOST_TEST(import(entries() + marker + "junk", {}, 1).images.size() == 1U);
}

BOOST_AUTO_TEST_CASE(compressed_padding_is_no_bomb) {
  using importer::Compression;
  importer::Options options;
  options.limits.max_ratio = 10;
  options.limits.ratio_after = 1 << 20;
  const std::string archive = entries() + std::string(8 << 20, '\0');
  for (const Compression format : {Compression::gzip, Compression::zstd, Compression::xz,
                                   Compression::bzip2, Compression::lz4}) {
    BOOST_TEST(import(compress(format, archive), options).notes.empty());
  }
}

// What complete() says before each piece, as 0s and 1s by the bytes given.
struct Completeness {
  std::size_t first_true = 0;
  bool stays_true = true;
};

Completeness watch(blobstore::Store& store, const std::string& archive, std::size_t piece) {
  importer::Importer importer(store, {});
  StringSource source(archive, piece);
  Completeness result{.first_true = archive.size() + 1};
  source.on_next = [&](std::size_t given) {
    const bool complete = importer.complete();
    if (complete) result.first_true = std::min(result.first_true, given);
    result.stays_true = result.stays_true && (complete || given < result.first_true);
  };
  importer.run(source);
  return result;
}

// Whether it is complete() where it ends.
bool complete_at_end(blobstore::Store& store, const std::string& archive) {
  importer::Importer importer(store, {});
  StringSource source(archive);
  bool complete = false;
  source.on_next = [&](std::size_t given) {
    if (given == archive.size()) complete = complete || importer.complete();
  };
  BOOST_CHECK_THROW(importer.run(source), Error);
  return complete;
}

BOOST_AUTO_TEST_CASE(what_is_no_archive_for_certain_gets_its_verdict_at_the_close) {
  using importer::Compression;
  BOOST_TEST(complete_at_end(*store, R"({"a":1})"));
  BOOST_TEST(complete_at_end(*store, compress(Compression::gzip, R"({"a":1})")));
  BOOST_TEST(complete_at_end(*store, compress(Compression::xz, entries()) + std::string(3, '\0')));
  BOOST_TEST(!complete_at_end(*store, "hello"));
  BOOST_TEST(!complete_at_end(*store, entries().substr(0, 300)));
  BOOST_TEST(!complete_at_end(*store, compress(Compression::gzip, "hello")));
}

BOOST_AUTO_TEST_CASE(it_is_complete_as_soon_as_all_that_is_referenced_is_there) {
  for (const std::size_t piece : {1U, 100U, 512U}) {
    const auto seen = watch(*store, entries() + std::string(1024, '\0'), piece);
    BOOST_TEST(seen.first_true >= whole_size() - 511);
    BOOST_TEST(seen.first_true <= whole_size() + piece);
    BOOST_TEST(seen.stays_true);
  }
}

BOOST_AUTO_TEST_CASE(it_is_complete_only_behind_the_marker_while_an_index_json_may_come) {
  const std::string start = LayerWriter().file("blobs/sha256/other", "1").unfinished();
  const std::string archive = start + entries() + std::string(1024, '\0');
  const auto seen = watch(*store, archive, 512);
  BOOST_TEST(seen.first_true == archive.size());
  BOOST_TEST(seen.stays_true);
}

BOOST_AUTO_TEST_CASE(without_the_marker_an_end_is_judged_as_a_close_at_the_same_place) {
  const std::string start = LayerWriter().file("blobs/sha256/other", "1").unfinished();
  BOOST_TEST(refusal(start + entries()).errno_value() == ENODATA);
  BOOST_TEST(import(start + entries() + std::string(1024, '\0')).images.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_wrong_document_ends_the_import_before_the_archive_does) {
  const auto given_for = [&](const std::string& archive) {
    importer::Importer importer(*store, {});
    StringSource source(archive, 512);
    std::size_t given_at_most = 0;
    source.on_next = [&](std::size_t given) { given_at_most = given; };
    BOOST_CHECK_THROW(importer.run(source), Error);
    return given_at_most;
  };
  const std::string layout = LayerWriter()
                                 .file("oci-layout", R"({"imageLayoutVersion":"1.0.0"})")
                                 .file("index.json", "[]")
                                 .unfinished();
  BOOST_TEST(given_for(layout + entries() + std::string(1024, '\0')) <= layout.size());
  // What is a Docker archive is known at the end marker.
  const std::string docker = LayerWriter().file("manifest.json", "[]").str();
  BOOST_TEST(given_for(docker + std::string(1 << 20, '\0')) <= docker.size());
}

BOOST_AUTO_TEST_CASE(an_error_of_the_source_is_the_imports) {
  StringSource source(entries(), 512);
  source.on_next = [](std::size_t given) {
    if (given > 2000) throw Error(ECANCELED, "the copy was cancelled");
  };
  importer::Importer importer(*store, {});
  BOOST_CHECK_EXCEPTION(importer.run(source), Error,
                        [](const Error& error) { return error.errno_value() == ECANCELED; });
  BOOST_TEST(store->blobs().empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace imagefs::tests
