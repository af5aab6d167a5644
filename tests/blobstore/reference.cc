#include "blobstore/reference.h"

#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>
#include <fstream>
#include <iterator>
#include <string>

#include "blobstore/error.h"

namespace imagefs::blobstore {
namespace {

// What distribution/reference makes of each input (ParseDockerRef, FamiliarString, Domain, Path).
boost::json::array vectors() {
  std::ifstream file(REFERENCES_JSON);
  return boost::json::parse(std::string(std::istreambuf_iterator<char>(file), {})).as_array();
}

std::string text(const boost::json::object& vector, const char* key) {
  const auto* value = vector.if_contains(key);
  return value ? std::string(value->as_string()) : std::string();
}

std::string error_of(const std::string& input) {
  try {
    (void)Reference::parse(input);
  } catch (const Error& error) {
    BOOST_TEST(error.errno_value() == EINVAL);
    return error.sentence();
  }
  return "none";
}

void check_accepted(const boost::json::object& vector) {
  const auto reference = Reference::try_parse(text(vector, "input"));
  BOOST_TEST_REQUIRE(reference.has_value());
  BOOST_TEST(reference->str() == text(vector, "normalized"));
  BOOST_TEST(reference->familiar() == text(vector, "familiar"));
  BOOST_TEST(reference->domain() == text(vector, "domain"));
  BOOST_TEST(reference->path() == text(vector, "path"));
}

BOOST_AUTO_TEST_SUITE(reference)

BOOST_AUTO_TEST_CASE(every_vector_of_distribution_reference_comes_out) {
  const boost::json::array all = vectors();
  BOOST_TEST(all.size() == 125U);
  for (const boost::json::value& value : all) {
    const boost::json::object& vector = value.as_object();
    const std::string input = text(vector, "input");
    BOOST_TEST_CONTEXT("input \"" << input << '"') {
      if (vector.contains("error")) {
        BOOST_TEST(!Reference::try_parse(input).has_value());
        BOOST_TEST(error_of(input) ==
                   "\"" + input + "\" is no image name: " + text(vector, "error"));
      } else {
        check_accepted(vector);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_normalised_name_stays_as_it_is) {
  for (const boost::json::value& value : vectors()) {
    const std::string name = text(value.as_object(), "normalized");
    if (!name.empty()) BOOST_TEST(Reference::parse(name).str() == name);
  }
}

BOOST_AUTO_TEST_CASE(a_suffix_is_a_tag_or_a_digest) {
  const std::string digest = "@sha256:" + std::string(64, 'a');
  BOOST_TEST(Reference::parse("busybox").suffix() == ":latest");
  BOOST_TEST(Reference::parse("busybox:1.36").suffix() == ":1.36");
  BOOST_TEST(Reference::parse("busybox:1.36" + digest).suffix() == digest);
}

BOOST_AUTO_TEST_CASE(a_tag_is_told_from_a_name) {
  for (const char* tag : {"latest", "1.36", "_x", "A-b.c"}) BOOST_TEST(is_tag(tag), tag);
  for (const char* other : {"", ".x", "-x", "a/b", "a:b", "a b", "caf\xC3\xA9"}) {
    BOOST_TEST(!is_tag(other), other);
  }
  BOOST_TEST(is_tag(std::string(128, 'a')));
  BOOST_TEST(!is_tag(std::string(129, 'a')));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace imagefs::blobstore
