#include "fs/node.h"

#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <set>

#include "blobstore/error.h"
#include "fs/symlink_node.h"

using namespace imagefs;
using fs::make_node_id;

BOOST_AUTO_TEST_CASE(an_id_depends_on_every_part_and_where_parts_end) {
  const std::set<fs::NodeId> ids = {make_node_id({"a", "b"}), make_node_id({"ab"}),
                                    make_node_id({"ab", ""}), make_node_id({"", "ab"}),
                                    make_node_id({"b", "a"}), make_node_id({})};
  BOOST_TEST(ids.size() == 6U);
  BOOST_TEST(!ids.contains(0));
  BOOST_TEST(!ids.contains(1));
}

BOOST_AUTO_TEST_CASE(an_id_is_the_same_in_every_process) {
  // Computed once: file handles of an older daemon still have to mean the same.
  BOOST_TEST(make_node_id({"images", "sha256:00"}) == 13113583164361389081ULL);
}

BOOST_AUTO_TEST_CASE(what_a_node_is_not_it_refuses_with_the_usual_errno) {
  const fs::SymlinkNode symlink(9, {0, 0, 0}, "target", {}, fs::Lifetime::fixed);
  const auto errno_of = [](auto action) {
    try {
      action();
    } catch (const Error& error) {
      return error.errno_value();
    }
    return 0;
  };
  BOOST_TEST(errno_of([&] { (void)symlink.lookup("x"); }) == ENOTDIR);
  BOOST_TEST(errno_of([&] { symlink.list(0, {}); }) == ENOTDIR);
  BOOST_TEST(errno_of([&] { (void)symlink.open(); }) == EACCES);
  BOOST_TEST(symlink.xattr_names().empty());
}
