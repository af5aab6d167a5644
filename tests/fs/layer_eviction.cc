#include "fs/layer_eviction.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <string>

#include "blobstore/unique_fd.h"
#include "tests/support/temporary_directory.h"

namespace imagefs::fs {
namespace {

class Fixture {
 public:
  Fixture() : fd_(::open(directory_.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {}

  [[nodiscard]] int fd() const { return fd_.get(); }
  // `age`: in seconds, since it was used.
  void put(const std::string& name, std::size_t size, time_t age) const {
    std::ofstream(directory_.path() / name) << std::string(size, 'x');
    const timespec used{.tv_sec = 1'000'000 - age, .tv_nsec = 0};
    const timespec times[2] = {used, used};
    BOOST_REQUIRE_EQUAL(::utimensat(fd(), name.c_str(), times, 0), 0);
  }
  [[nodiscard]] bool has(const std::string& name) const {
    return std::filesystem::exists(directory_.path() / name);
  }

 private:
  tests::TemporaryDirectory directory_;
  UniqueFd fd_;
};

BOOST_FIXTURE_TEST_CASE(what_was_used_longest_ago_goes_first, Fixture) {
  put("old", 40, 30);
  put("older", 40, 40);
  put("new", 40, 10);
  LayerRoom room(120);
  const auto taken = room.take(fd(), 30);
  BOOST_TEST(taken.has_value());
  BOOST_TEST(!has("older"));
  BOOST_TEST(has("old"));
  BOOST_TEST(has("new"));
}

BOOST_FIXTURE_TEST_CASE(what_others_are_about_to_put_there_counts_too, Fixture) {
  put("old", 40, 30);
  put("new", 20, 10);
  LayerRoom room(100);
  auto first = room.take(fd(), 40);
  BOOST_TEST(has("old"));
  const auto second = room.take(fd(), 40);
  BOOST_TEST(second.has_value());
  BOOST_TEST(!has("old"));
  BOOST_TEST(has("new"));
  BOOST_TEST(!room.take(fd(), 21).has_value());
  BOOST_TEST(has("new"));
  first.reset();
  BOOST_TEST(room.take(fd(), 21).has_value());
  BOOST_TEST(has("new"));
}

BOOST_FIXTURE_TEST_CASE(what_would_never_fit_evicts_nothing, Fixture) {
  put("old", 40, 30);
  LayerRoom room(100);
  BOOST_TEST(!room.take(fd(), 101).has_value());
  BOOST_TEST(has("old"));
}

}  // namespace
}  // namespace imagefs::fs
