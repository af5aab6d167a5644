#include "blobstore/index.h"

#include <boost/test/unit_test.hpp>
#include <functional>
#include <string>
#include <vector>

#include "blobstore/error.h"

namespace imagefs::blobstore {
namespace {

constexpr auto kThen = "2001-02-03T04:05:06Z";
constexpr auto kNow = "2026-01-02T03:04:05Z";
const std::string kName = "docker.io/library/busybox:1";
const std::string kOther = "docker.io/library/busybox:2";

Descriptor manifest(char digit) {
  return {media_type::kOciManifest, *Digest::from_hex(std::string(64, digit)), 7};
}

Image image(char digit, const std::optional<std::string>& name,
            const std::string& imported = kThen) {
  return {.descriptor = manifest(digit), .name = name, .imported = imported, .superseded = {}};
}

// Each image as "<digit> <name> <imported> <superseded>".
std::vector<std::string> listed(const Index& index) {
  std::vector<std::string> lines;
  for (const Image& each : index.images()) {
    lines.push_back(each.descriptor.digest.hex().substr(0, 1) + " " + each.name.value_or("-") +
                    (each.imported == kThen  ? " then"
                     : each.imported == kNow ? " now"
                                             : " ?") +
                    (each.superseded.empty() ? "" : " superseded"));
  }
  return lines;
}

using Lines = std::vector<std::string>;

std::string entry(const std::string& annotations, char digit = 'a') {
  return R"({"mediaType":"application/vnd.oci.image.manifest.v1+json","size":7,"digest":"sha256:)" +
         std::string(64, digit) + R"(","annotations":)" + annotations + "}";
}

std::string index_of(const std::string& entries) {
  return R"({"schemaVersion":2,"manifests":[)" + entries + "]}";
}

BOOST_AUTO_TEST_SUITE(index_json)

BOOST_AUTO_TEST_CASE(an_index_without_images_is_a_document) {
  BOOST_TEST(Index().bytes() == R"({"schemaVersion":2,"mediaType":)"
                                R"("application/vnd.oci.image.index.v1+json","manifests":[]})");
  BOOST_TEST(Index(Index().bytes()).images().empty());
}

BOOST_AUTO_TEST_CASE(a_name_stands_in_both_annotations) {
  Index index;
  Image added = image('a', kName);
  added.descriptor.platform = Platform{"linux", "arm", "v7", "1", {"f"}};
  added.descriptor.annotations = {{"k", "v"}, {kRefNameAnnotation, "latest"}};
  index.add(added, kNow);
  const Descriptor read = Index(index.bytes()).images().at(0).descriptor;
  BOOST_TEST(read.annotations.at(kNameAnnotation) == kName);
  BOOST_TEST(read.annotations.at(kRefNameAnnotation) == kName);
  BOOST_TEST(read.annotations.at(kImportedAnnotation) == kThen);
  BOOST_TEST(read.annotations.at("k") == "v");
  BOOST_TEST((read.platform == added.descriptor.platform));
}

BOOST_AUTO_TEST_CASE(an_untagged_image_keeps_no_name_of_the_archive) {
  Index index;
  Image added = image('a', {});
  added.descriptor.annotations = {{kRefNameAnnotation, "latest"}, {kNameAnnotation, kName}};
  index.add(added, kNow);
  BOOST_TEST(listed(index) == Lines{"a - then"}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_moved_name_leaves_the_old_image_untagged_and_marked) {
  Index index;
  index.add(image('a', kName), kNow);
  index.add(image('b', kName, kNow), kNow);
  BOOST_TEST(listed(index) == (Lines{"a - then superseded", "b " + kName + " now"}),
             boost::test_tools::per_element());
  BOOST_TEST(index.images().at(0).superseded == kNow);
}

BOOST_AUTO_TEST_CASE(a_moved_name_leaves_no_second_entry_of_an_image_with_another_name) {
  Index index;
  index.add(image('a', kName), kNow);
  index.add(image('a', kOther), kNow);
  index.add(image('b', kName), kNow);
  BOOST_TEST(listed(index) == (Lines{"a " + kOther + " then", "b " + kName + " then"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_name_that_comes_back_ends_the_mark) {
  Index index;
  index.add(image('a', kName), kNow);
  index.add(image('b', kName), kNow);
  index.add(image('a', kName, kNow), kNow);
  BOOST_TEST(listed(index) == (Lines{"b - then superseded", "a " + kName + " now"}),
             boost::test_tools::per_element());
}

// Of a change to an index that has the image 'a' with kName, and an index 'c' with kOther.
bool misleads(const std::function<void(Index&)>& change) {
  Index index;
  index.add(image('a', kName), kThen);
  Image platforms = image('c', kOther);
  platforms.descriptor.media_type = media_type::kOciIndex;
  index.add(platforms, kThen);
  Index read(index.bytes());
  BOOST_TEST(!read.misleads());
  change(read);
  return read.misleads();
}

BOOST_AUTO_TEST_CASE(who_knows_a_name_that_moves_or_goes_is_misled) {
  BOOST_TEST(misleads([](Index& index) { index.add(image('b', kName), kNow); }));
  BOOST_TEST(misleads([](Index& index) { index.remove_name(kName); }));
  BOOST_TEST(misleads([](Index& index) {
    index.add(image('a', "docker.io/library/busybox:3"), kNow);
    index.add(image('b', kName), kNow);
  }));
  BOOST_TEST(misleads([](Index& index) {
    Image platforms = image('c', kOther, kNow);
    platforms.descriptor.media_type = media_type::kOciIndex;
    index.add(platforms, kNow);
  }));
}

BOOST_AUTO_TEST_CASE(what_is_new_or_the_same_misleads_nobody) {
  BOOST_TEST(!misleads([](Index& index) { index.add(image('b', {}), kNow); }));
  BOOST_TEST(!misleads([](Index& index) { index.add(image('a', kName, kNow), kNow); }));
  BOOST_TEST(!misleads([](Index& index) { index.remove_name("docker.io/library/none:1"); }));
  BOOST_TEST(
      !misleads([](Index& index) { index.add(image('a', "docker.io/library/busybox:3"), kNow); }));
}

BOOST_AUTO_TEST_CASE(the_same_again_changes_only_the_time) {
  Index index;
  index.add(image('a', kName), kNow);
  const std::string once = index.bytes();
  index.add(image('a', kName), kNow);
  BOOST_TEST(index.bytes() == once);
  index.add(image('a', kName, kNow), kNow);
  BOOST_TEST(listed(index) == Lines{"a " + kName + " now"}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(an_untagged_image_is_added_once) {
  Index index;
  index.add(image('a', {}), kNow);
  index.add(image('a', {}, kNow), kNow);
  BOOST_TEST(listed(index) == Lines{"a - then"}, boost::test_tools::per_element());
  index.add(image('b', kName), kNow);
  index.add(image('b', {}), kNow);
  BOOST_TEST(listed(index) == (Lines{"a - then", "b " + kName + " then"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(an_untagged_import_ends_the_mark) {
  Index index;
  index.add(image('a', kName), kNow);
  index.add(image('b', kName), kNow);
  index.add(image('a', {}, kNow), kNow);
  BOOST_TEST(listed(index) == (Lines{"a - now", "b " + kName + " then"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(names_and_untagged_images_are_removed) {
  Index index;
  index.add(image('a', kName), kNow);
  index.add(image('a', kOther), kNow);
  index.add(image('b', {}), kNow);
  BOOST_TEST(!index.remove_name("docker.io/library/absent:1"));
  BOOST_TEST(index.remove_name(kName));
  BOOST_TEST(!index.remove_untagged(manifest('a').digest));
  BOOST_TEST(index.remove_untagged(manifest('b').digest));
  BOOST_TEST(listed(index) == Lines{"a " + kOther + " then"}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(what_is_not_known_is_kept) {
  const std::string text = R"({"x-first":[1,{"y":null}],"schemaVersion":2,"manifests":[)"
                           R"({"mediaType":"a/b","digest":"sha512:00","size":1},)" +
                           entry(R"({"x":"y"})") + R"(,7],"annotations":{"z":"1"}})";
  Index index(text);
  BOOST_TEST(index.bytes() == text);
  BOOST_TEST(index.images().size() == 1U);
  BOOST_TEST(index.unlisted() == 2U);
  index.add(image('b', kName), kNow);
  BOOST_TEST(index.remove_name(kName));
  BOOST_TEST(index.bytes() == text);
}

BOOST_AUTO_TEST_CASE(names_of_other_tools_are_normalised_and_bare_tags_name_nothing) {
  const auto name = [](const std::string& annotations) {
    return Index(index_of(entry(annotations))).images().at(0).name.value_or("-");
  };
  BOOST_TEST(name(R"({"org.opencontainers.image.ref.name":"latest"})") == "-");
  BOOST_TEST(name(R"({"org.opencontainers.image.ref.name":"busybox:1"})") == kName);
  BOOST_TEST(name(R"({"org.opencontainers.image.ref.name":"BAD/../x:1"})") == "-");
  BOOST_TEST(name(R"({"io.containerd.image.name":"busybox:1",)"
                  R"("org.opencontainers.image.ref.name":"quay.io/x:2"})") == kName);
  BOOST_TEST(name(R"({"io.containerd.image.name":"../x"})") == "-");
  BOOST_TEST(name("{}") == "-");
}

BOOST_AUTO_TEST_CASE(a_name_of_another_tool_can_be_moved_and_removed) {
  Index index(index_of(entry(R"({"org.opencontainers.image.ref.name":"busybox:1","x":"y"})")));
  index.add(image('b', kName), kNow);
  BOOST_TEST(listed(index) == (Lines{"a - ? superseded", "b " + kName + " then"}),
             boost::test_tools::per_element());
  BOOST_TEST(index.images().at(0).descriptor.annotations.at("x") == "y");
  BOOST_TEST(index.remove_name(kName));
}

BOOST_AUTO_TEST_CASE(what_is_no_index_is_refused) {
  for (const std::string& text :
       {std::string(), std::string("{"), std::string("[]"), std::string("{}"), std::string("null"),
        std::string(R"({"manifests":{}})"), std::string(R"({"manifests":[],"layers":[]})"),
        std::string(R"({"schemaVersion":1,"manifests":[]})"), std::string(R"({"Manifests":[]})"),
        index_of("") + "x", std::string(R"({"manifests":[],"manifests":[]})")}) {
    BOOST_CHECK_EXCEPTION(Index{text}, Error,
                          [](const Error& error) { return error.errno_value() == EBADMSG; });
  }
  BOOST_TEST(Index(R"({"schemaVersion":2,"manifests":null})").images().empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace imagefs::blobstore
