#include "fs/status.h"

#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>
#include <cerrno>

#include "tests/fs/tree_fixture.h"

using namespace imagefs;
using namespace imagefs::tests;
namespace json = boost::json;

namespace {

struct StatusFixture : TreeFixture {
  fs::Status status{store};

  [[nodiscard]] json::object render() const { return json::parse(status.render()).as_object(); }
};

importer::Progress progress(std::uint64_t bytes, const std::string& entry = "layer.tar") {
  return {.bytes = bytes, .entry = entry};
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(status, StatusFixture)

BOOST_AUTO_TEST_CASE(it_counts_images_blobs_and_bytes) {
  add_image("a.b/one:1");
  std::uint64_t bytes = 0;
  for (const auto& digest : store->blobs()) bytes += std::filesystem::file_size(blob_path(digest));
  const json::object document = render();
  BOOST_TEST(document.at("images").as_int64() == 1);
  BOOST_TEST(document.at("blobs").to_number<std::uint64_t>() == 4U);
  BOOST_TEST(document.at("bytes").to_number<std::uint64_t>() == bytes);
}

BOOST_AUTO_TEST_CASE(an_import_under_way_shows_its_progress) {
  std::uint64_t bytes = 5;
  const auto id = status.arrived("a.tar", 1000, [&] { return progress(bytes); });
  bytes = 7;
  json::object import = render().at("importing").as_array().at(0).as_object();
  BOOST_TEST(import.at("file").as_string() == "a.tar");
  BOOST_TEST(import.at("uid").as_int64() == 1000);
  BOOST_TEST(import.at("bytes").to_number<int>() == 7);
  BOOST_TEST(import.at("entry").as_string() == "layer.tar");
  status.renamed(id, "b.tar");
  import = render().at("importing").as_array().at(0).as_object();
  BOOST_TEST(import.at("file").as_string() == "b.tar");
}

BOOST_AUTO_TEST_CASE(an_import_that_ended_is_remembered_with_its_names) {
  const auto id = status.arrived("a.tar", 1000, [] { return progress(9); });
  const blobstore::Digest digest = blobstore::sha256("manifest");
  status.imported(id, {.images = {{.names = {"a.b/c:1"},
                                   .descriptor = {.media_type = "", .digest = digest, .size = 1}}},
                       .notes = {"odd"}});
  const json::object document = render();
  BOOST_TEST(document.at("importing").as_array().empty());
  const json::object& import = document.at("imported").as_array().at(0).as_object();
  BOOST_TEST(import.at("file").as_string() == "a.tar");
  const json::object& image = import.at("images").as_array().at(0).as_object();
  BOOST_TEST(image.at("names").as_array().at(0).as_string() == "a.b/c:1");
  BOOST_TEST(image.at("digest").as_string() == digest.str());
  BOOST_TEST(import.at("notes").as_array().at(0).as_string() == "odd");
  BOOST_TEST(document.at("counters").at("imported").as_int64() == 1);
  BOOST_TEST(document.at("counters").at("bytes").as_int64() == 9);
}

BOOST_AUTO_TEST_CASE(refusals_are_remembered_with_their_reason) {
  const auto id = status.arrived("a.tar", 1000, {});
  status.refused(id, Error(EBADMSG, "layer 3 is damaged"));
  status.refused("b.tar", 1001, Error(EAGAIN, "too many"));
  const json::array refused = render().at("refused").as_array();
  BOOST_REQUIRE(refused.size() == 2U);
  BOOST_TEST(refused[0].at("file").as_string() == "b.tar");
  BOOST_TEST(refused[1].at("reason").as_string() == "layer 3 is damaged");
  BOOST_TEST(refused[1].at("errno").as_int64() == EBADMSG);
  BOOST_TEST(render().at("counters").at("refused").as_int64() == 2);
}

BOOST_AUTO_TEST_CASE(an_import_ends_once) {
  const auto id = status.arrived("a.tar", 1000, {});
  status.cancelled(id);
  status.refused(id, Error(EIO, "late"));
  status.imported(id, {});
  const json::object document = render();
  BOOST_TEST(document.at("counters").at("cancelled").as_int64() == 1);
  BOOST_TEST(document.at("refused").as_array().empty());
  BOOST_TEST(document.at("imported").as_array().empty());
}

BOOST_AUTO_TEST_CASE(only_the_last_ends_are_remembered) {
  for (int i = 0; i < 100; ++i) {
    status.refused(std::to_string(i) + ".tar", 0, Error(EINVAL, "no"));
  }
  const json::array refused = render().at("refused").as_array();
  BOOST_TEST(refused.size() == fs::Status::kRemembered);
  BOOST_TEST(refused[0].at("file").as_string() == "99.tar");
}

BOOST_AUTO_TEST_CASE(names_that_are_no_utf8_leave_the_document_valid) {
  status.refused("a\xff\"\n.tar", 0, Error(EINVAL, "\xc3 is odd"));
  const json::object refused = render().at("refused").as_array().at(0).as_object();
  BOOST_TEST(refused.at("file").as_string() == "a\xef\xbf\xbd\"\n.tar");
  BOOST_TEST(refused.at("reason").as_string() == "\xef\xbf\xbd is odd");
}

BOOST_AUTO_TEST_SUITE_END()
