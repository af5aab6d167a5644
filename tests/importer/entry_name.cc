#include "importer/entry_name.h"

#include <boost/test/unit_test.hpp>

namespace imagefs::importer {
namespace {

BOOST_AUTO_TEST_SUITE(entry_names)

BOOST_AUTO_TEST_CASE(names_are_cleaned) {
  BOOST_TEST(clean_name("a/b").value() == "a/b");
  BOOST_TEST(clean_name("./a//b/.").value() == "a/b");
  BOOST_TEST(clean_name("a/../b/").value() == "b");
  BOOST_TEST(clean_name("..a/...").value() == "..a/...");
}

BOOST_AUTO_TEST_CASE(names_that_lead_outside_or_nowhere_are_none) {
  for (const char* name : {"", ".", "./", "/", "/a", "..", "../a", "a/../../b", "a/.."}) {
    BOOST_TEST(!clean_name(name).has_value());
  }
}

BOOST_AUTO_TEST_CASE(a_symlinks_target_is_relative_to_its_directory) {
  BOOST_TEST(link_target("a/layer.tar", "../b/layer.tar").value() == "b/layer.tar");
  BOOST_TEST(link_target("layer.tar", "b.tar").value() == "b.tar");
  BOOST_TEST(!link_target("layer.tar", "../b.tar").has_value());
  BOOST_TEST(!link_target("a/layer.tar", "/a/other.tar").has_value());
}

BOOST_AUTO_TEST_CASE(a_name_has_a_parent_and_a_base) {
  BOOST_TEST(parent_name("a/b/c") == "a/b");
  BOOST_TEST(base_name("a/b/c") == "c");
  BOOST_TEST(parent_name("c") == "");
  BOOST_TEST(base_name("c") == "c");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace imagefs::importer
