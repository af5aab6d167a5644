#include "fs/index_maker.h"

#include <algorithm>
#include <atomic>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <future>
#include <thread>
#include <utility>
#include <vector>

#include "blobstore/error.h"

namespace imagefs::fs {
namespace {

using blobstore::Digest;

const Patience endless = [] {};

Digest layer(int number) { return blobstore::sha256(std::to_string(number)); }

auto has_errno(int expected) {
  return [expected](const Error& error) { return error.errno_value() == expected; };
}

// Makes none, and takes down who was asked.
struct Fake {
  std::atomic<int> made = 0;
  std::atomic<int> at_once = 0;
  std::atomic<int> most_at_once = 0;
  std::promise<void> let_go;
  std::shared_future<void> gate = let_go.get_future().share();
  int failure = 0;
  IndexMaker maker{[this](const Digest& wanted) { return make(wanted); }};

  IndexMaker::IndexPtr make(const Digest& wanted) {
    most_at_once = std::max<int>(most_at_once, ++at_once);
    ++made;
    gate.wait();
    --at_once;
    if (failure != 0) throw Error(failure, "no " + wanted.str());
    return nullptr;
  }
  void wait(int number) { static_cast<void>(maker.make(layer(number), endless)); }
};

// Comes back when so many wait for `numbers`.
std::vector<std::thread> wait_for_each(Fake& fake, const std::vector<int>& numbers) {
  std::atomic<std::size_t> waiting = 0;
  std::vector<std::thread> threads;
  for (const int number : numbers) {
    threads.emplace_back([&fake, &waiting, number] {
      bool counted = false;
      const Patience count = [&] {
        if (!std::exchange(counted, true)) ++waiting;
      };
      static_cast<void>(fake.maker.make(layer(number), count));
    });
  }
  while (waiting < numbers.size()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  return threads;
}

BOOST_AUTO_TEST_CASE(what_many_wait_for_is_made_once) {
  Fake fake;
  std::vector<std::thread> threads = wait_for_each(fake, {1, 1, 1, 1});
  fake.let_go.set_value();
  for (std::thread& thread : threads) thread.join();
  BOOST_TEST(fake.made == 1);
}

BOOST_AUTO_TEST_CASE(one_is_made_after_the_other) {
  Fake fake;
  std::vector<std::thread> threads = wait_for_each(fake, {1, 2, 3, 4});
  BOOST_TEST(fake.made == 1);
  fake.let_go.set_value();
  for (std::thread& thread : threads) thread.join();
  BOOST_TEST(fake.made == 4);
  BOOST_TEST(fake.most_at_once == 1);
  fake.wait(1);
  BOOST_TEST(fake.made == 5);
}

// How often it is tried when two ask, one after the other, and each is told `told`.
int tries_for_two(int failure, int told) {
  Fake fake;
  fake.failure = failure;
  fake.let_go.set_value();
  for (int i = 0; i < 2; ++i) BOOST_CHECK_EXCEPTION(fake.wait(1), Error, has_errno(told));
  return fake.made;
}

BOOST_AUTO_TEST_CASE(what_lies_in_the_layer_is_remembered) {
  BOOST_TEST(tries_for_two(EBADMSG, EIO) == 1);
}

BOOST_AUTO_TEST_CASE(what_was_short_may_be_there_the_next_time) {
  BOOST_TEST(tries_for_two(ENOSPC, ENOSPC) == 2);
}

BOOST_AUTO_TEST_CASE(who_waits_for_nothing_any_more_is_let_go) {
  Fake fake;
  const Patience none = [] { throw Error(EINTR, "the caller is being killed"); };
  BOOST_CHECK_EXCEPTION(static_cast<void>(fake.maker.make(layer(1), none)), Error,
                        has_errno(EINTR));
  fake.let_go.set_value();
}

}  // namespace
}  // namespace imagefs::fs
