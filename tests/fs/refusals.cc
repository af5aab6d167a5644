#include "fs/refusals.h"

#include <boost/test/unit_test.hpp>
#include <string>

namespace imagefs::fs {
namespace {

struct Fixture {
  std::string text(const std::string& file) const {
    const auto found = refusals.find(file);
    if (!found) return "absent";
    std::string read(1000, '\0');
    read.resize(found->node->open()->read(std::as_writable_bytes(std::span(read)), 0));
    return read;
  }

  NodeId last = 100;
  Refusals refusals{[this] { return ++last; }};
};

BOOST_FIXTURE_TEST_SUITE(refusals, Fixture)

BOOST_AUTO_TEST_CASE(a_refusal_is_one_line_whatever_the_reason_has_in_it) {
  refusals.add("a.tar", "an entry\nwith a line break", {1000, 1000});
  BOOST_TEST(text("a.tar.error") == "an entry with a line break\n");
}

BOOST_AUTO_TEST_CASE(a_refusal_is_a_file_that_belongs_to_the_writer) {
  refusals.add("a.tar", "why", {1000, 100});
  const auto attributes = refusals.find("a.tar.error")->node->attributes();
  BOOST_TEST(attributes.st_mode == (S_IFREG | 0444U));
  BOOST_TEST(attributes.st_uid == 1000U);
  BOOST_TEST(attributes.st_gid == 100U);
  BOOST_TEST(attributes.st_size == 4);
  BOOST_TEST(attributes.st_ino == 101U);
}

BOOST_AUTO_TEST_CASE(the_last_refusal_of_a_name_counts) {
  refusals.add("a.tar", "one", {0, 0});
  refusals.add("a.tar", "two", {0, 0});
  BOOST_TEST(refusals.all().size() == 1U);
  BOOST_TEST(text("a.tar.error") == "two\n");
}

BOOST_AUTO_TEST_CASE(a_refusal_goes_once) {
  refusals.add("a.tar", "why", {0, 0});
  BOOST_TEST(refusals.remove("a.tar"));
  BOOST_TEST(!refusals.remove("a.tar"));
  BOOST_TEST(text("a.tar.error") == "absent");
}

BOOST_AUTO_TEST_CASE(the_oldest_go_when_there_are_too_many) {
  for (std::size_t i = 0; i <= Refusals::kMost; ++i) refusals.add(std::to_string(i), "why", {0, 0});
  BOOST_TEST(refusals.all().size() == Refusals::kMost);
  BOOST_TEST(text("0.error") == "absent");
  BOOST_TEST(text("1.error") == "why\n");
}

BOOST_AUTO_TEST_CASE(who_has_most_loses_one) {
  refusals.add("hers", "why", {1, 0});
  for (std::size_t i = 0; i <= Refusals::kMost; ++i) refusals.add(std::to_string(i), "why", {2, 0});
  BOOST_TEST(refusals.all().size() == Refusals::kMost);
  BOOST_TEST(text("hers.error") == "why\n");
  BOOST_TEST(text("1.error") == "absent");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace imagefs::fs
