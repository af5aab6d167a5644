#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <memory>

#include "blobstore/error.h"
#include "fs/handle_table.h"
#include "fs/listing_habits.h"
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

// Makes a node for each key, with an id that has other bits set.
class NumberedMaker final : public NodeMaker, public std::enable_shared_from_this<NumberedMaker> {
 public:
  class Made final : public Node {
   public:
    Made(std::shared_ptr<const NodeMaker> maker, std::uint64_t key)
        : maker_(std::move(maker)), key_(key) {}
    NodeId id() const override { return key_ << 8; }
    struct stat attributes() const override { return {}; }
    Lifetime lifetime() const override { return Lifetime::fixed; }
    std::optional<NodeRecipe> recipe() const override { return NodeRecipe{maker_, key_}; }

   private:
    std::shared_ptr<const NodeMaker> maker_;
    std::uint64_t key_;
  };
  NodePtr make(std::uint64_t key) const override {
    return std::make_shared<Made>(shared_from_this(), key);
  }
};

BOOST_AUTO_TEST_CASE(a_node_with_a_recipe_is_made_again_until_every_lookup_is_forgotten) {
  NodeTable nodes(node(1));
  auto maker = std::make_shared<NumberedMaker>();
  const std::weak_ptr<NumberedMaker> made_by = maker;
  for (std::uint64_t key = 1; key <= 10'000; ++key) {
    nodes.remember(maker->make(key));
    if (key % 2 == 0) nodes.remember(maker->make(key));
  }
  maker.reset();
  for (std::uint64_t key = 1; key <= 10'000; ++key) {
    BOOST_REQUIRE_EQUAL(nodes.get(key << 8)->id(), key << 8);
    nodes.forget(key << 8, 1);
    if (key % 2 == 0) {
      BOOST_REQUIRE_EQUAL(nodes.get(key << 8)->id(), key << 8);
      BOOST_REQUIRE(!made_by.expired());
      nodes.forget(key << 8, 7);
    }
    BOOST_REQUIRE_EXCEPTION((void)nodes.get(key << 8), Error, is_stale);
  }
  BOOST_TEST(made_by.expired());
}

BOOST_AUTO_TEST_CASE(nodes_are_made_by_whom_they_came_from) {
  NodeTable nodes(node(1));
  std::vector<std::shared_ptr<NumberedMaker>> makers;
  for (std::uint64_t key = 1; key <= 5; ++key) {
    makers.push_back(std::make_shared<NumberedMaker>());
    nodes.remember(makers.back()->make(key));
  }
  nodes.forget(2 << 8, 1);
  nodes.forget(4 << 8, 1);
  for (std::uint64_t key = 6; key <= 8; ++key) {
    makers.push_back(std::make_shared<NumberedMaker>());
    nodes.remember(makers.back()->make(key));
  }
  for (const std::uint64_t key : {1, 3, 5, 6, 7, 8}) {
    BOOST_TEST(nodes.get(key << 8)->recipe()->maker == makers[key - 1]);
  }
}

BOOST_AUTO_TEST_CASE(attributes_come_with_names_until_many_listings_have_wanted_none) {
  ListingHabits habits;
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 128; ++i) BOOST_REQUIRE(habits.begin());
    for (int i = 0; i < 1000; ++i) BOOST_REQUIRE(!habits.begin());
    habits.look_up();
  }
  for (int i = 0; i < 1000; ++i) {
    BOOST_REQUIRE(habits.begin());
    habits.look_up();
  }
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
