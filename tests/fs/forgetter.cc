#include "fs/forgetter.h"

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <future>

namespace imagefs::fs {
namespace {

BOOST_AUTO_TEST_CASE(the_end_waits_for_the_name_at_hand_and_tells_of_no_other) {
  std::promise<void> told;
  std::promise<void> answered;
  const std::shared_future<void> answer = answered.get_future().share();
  std::atomic<int> names = 0;
  Forgetter forgetter([&](const Forgetter::Name&) {
    if (++names == 1) told.set_value();
    answer.wait();
  });
  forgetter.forget({{.parent = 2, .name = "a"}, {.parent = 2, .name = "b"}});
  told.get_future().wait();
  auto stopped = std::async(std::launch::async, [&] { forgetter.stop(); });
  // A request that still has to be answered may hold up the one at hand: it is waited for.
  BOOST_CHECK(stopped.wait_for(std::chrono::milliseconds(50)) == std::future_status::timeout);
  answered.set_value();
  stopped.wait();
  forgetter.forget({{.parent = 2, .name = "c"}});
  forgetter.stop();
  BOOST_CHECK_EQUAL(names, 1);
}

}  // namespace
}  // namespace imagefs::fs
