#include "fs/fuse_mount.h"

#include <boost/test/unit_test.hpp>

namespace imagefs::fs {
namespace {

// Becomes fixed just when its attributes are asked for, like a rootfs/ whose index arrives.
class BecomingFixed final : public Node {
 public:
  [[nodiscard]] NodeId id() const override { return 9; }
  [[nodiscard]] struct stat attributes() const override {
    lifetime_ = Lifetime::fixed;
    return {};
  }
  [[nodiscard]] Lifetime lifetime() const override { return lifetime_; }

 private:
  mutable Lifetime lifetime_ = Lifetime::volatile_;
};

BOOST_AUTO_TEST_CASE(attributes_from_before_a_node_became_fixed_are_not_kept) {
  const BecomingFixed node;
  const BecomingFixed parent;
  BOOST_TEST(make_entry(parent, node).attr_timeout == 0);
  BOOST_TEST(make_entry(parent, node).attr_timeout == kForever);
}

}  // namespace
}  // namespace imagefs::fs
