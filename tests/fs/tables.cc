#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <memory>

#include "blobstore/error.h"
#include "fs/handle_table.h"
#include "fs/node_table.h"

namespace imagefs::fs {
namespace {

class NumberedNode final : public Node {
 public:
  explicit NumberedNode(NodeId id) : id_(id) {}
  NodeId id() const override { return id_; }
  struct stat attributes() const override { return {}; }
  Lifetime lifetime() const override { return Lifetime::fixed; }

 private:
  NodeId id_;
};

NodePtr node(NodeId id) { return std::make_shared<NumberedNode>(id); }

bool is_stale(const Error& error) { return error.errno_value() == ESTALE; }

BOOST_AUTO_TEST_CASE(the_root_is_always_known) {
  NodeTable nodes(node(1));
  nodes.forget(1, 100);
  BOOST_TEST(nodes.get(1)->id() == 1U);
}

BOOST_AUTO_TEST_CASE(an_id_that_was_never_given_out_is_stale) {
  const NodeTable nodes(node(1));
  BOOST_CHECK_EXCEPTION((void)nodes.get(2), Error, is_stale);
}

BOOST_AUTO_TEST_CASE(a_node_is_known_until_every_lookup_is_forgotten) {
  NodeTable nodes(node(1));
  nodes.remember(node(2));
  nodes.remember(node(2));
  nodes.remember(node(2));
  nodes.forget(2, 2);
  BOOST_TEST(nodes.get(2)->id() == 2U);
  nodes.forget(2, 1);
  BOOST_CHECK_EXCEPTION((void)nodes.get(2), Error, is_stale);
}

BOOST_AUTO_TEST_CASE(what_a_request_works_on_outlives_its_release) {
  HandleTable handles;
  const std::uint64_t number = handles.add({.content = nullptr, .opened = {}, .opener = 7});
  const HandlePtr working = handles.get(number);
  BOOST_TEST(handles.take(number)->opener == 7);
  BOOST_TEST(working->opener == 7);
  BOOST_CHECK_EXCEPTION((void)handles.get(number), Error,
                        [](const Error& error) { return error.errno_value() == EBADF; });
}

}  // namespace
}  // namespace imagefs::fs
