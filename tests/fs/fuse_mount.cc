#include "fs/fuse_mount.h"

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <thread>

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
  BOOST_TEST(make_entry(parent, node, Lease()).attr_timeout == 0);
  BOOST_TEST(make_entry(parent, node, Lease()).attr_timeout == kForever);
}

class OfLifetime final : public Node {
 public:
  OfLifetime(NodeId id, Lifetime lifetime) : id_(id), lifetime_(lifetime) {}
  [[nodiscard]] NodeId id() const override { return id_; }
  [[nodiscard]] struct stat attributes() const override { return {}; }
  [[nodiscard]] Lifetime lifetime() const override { return lifetime_; }

 private:
  NodeId id_;
  Lifetime lifetime_;
};

const OfLifetime kRoot(FUSE_ROOT_ID, Lifetime::volatile_);
const OfLifetime kIngest(2, Lifetime::volatile_);
const OfLifetime kNames(3, Lifetime::snapshot);
const OfLifetime kImage(4, Lifetime::fixed);
constexpr double kLease = std::chrono::duration<double>(blobstore::kReaderLease).count();

bool is_leased(double timeout) { return timeout > 0 && timeout <= kLease; }

BOOST_AUTO_TEST_CASE(the_name_of_an_image_is_believed_as_long_as_a_reader_of_the_store_may) {
  const Lease lease;
  const double timeout = make_entry(kNames, kImage, lease).entry_timeout;
  BOOST_TEST(is_leased(timeout));
  BOOST_TEST(make_entry(kNames, kImage, lease).entry_timeout < timeout);
  BOOST_TEST(make_entry(kImage, kImage, lease).entry_timeout == kForever);
  BOOST_TEST(make_entry(kIngest, kImage, lease).entry_timeout == 0);
  BOOST_TEST(make_entry(kRoot, kIngest, lease).entry_timeout == 0);
}

BOOST_AUTO_TEST_CASE(attributes_of_directories_of_names_and_of_the_root_are_leased) {
  BOOST_TEST(is_leased(attribute_timeout(kNames, Lease())));
  BOOST_TEST(is_leased(attribute_timeout(kRoot, Lease())));
  BOOST_TEST(attribute_timeout(kIngest, Lease()) == 0);
  BOOST_TEST(attribute_timeout(kImage, Lease()) == kForever);
}

BOOST_AUTO_TEST_CASE(a_lease_that_is_over_lets_nothing_be_believed) {
  const Lease lease;
  std::this_thread::sleep_for(blobstore::kReaderLease);
  BOOST_TEST(make_entry(kNames, kImage, lease).entry_timeout == 0);
  BOOST_TEST(attribute_timeout(kNames, lease) == 0);
}

}  // namespace
}  // namespace imagefs::fs
