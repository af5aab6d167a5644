#include "fs/later.h"

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <future>
#include <memory>
#include <thread>
#include <vector>

#include "blobstore/error.h"

namespace imagefs::fs {
namespace {

constexpr std::chrono::seconds kLong{60};

// What a request waits for, and what became of the request.
struct Wait {
  std::atomic<bool> over = false;
  std::atomic<bool> abandoned = false;
  std::promise<void> begun;
  std::promise<int> answered;
  std::future<int> answer = answered.get_future();

  // The errno; -1 when there is none in time.
  int result() { return answer.wait_for(kLong) == std::future_status::ready ? answer.get() : -1; }
};

class Fake final : public Later::Waiting {
 public:
  explicit Fake(Wait& wait) : wait_(wait) {}
  void answer(const Patience& patience) noexcept override {
    wait_.begun.set_value();
    int result = 0;
    try {
      while (!wait_.over) {
        patience();
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
    } catch (const Error& error) {
      result = error.errno_value();
    }
    wait_.answered.set_value(result);
  }
  void refuse(int errno_value) noexcept override { wait_.answered.set_value(errno_value); }
  [[nodiscard]] bool abandoned() const override { return wait_.abandoned; }

 private:
  Wait& wait_;
};

void add(Later& later, Wait& wait) { later.add(std::make_unique<Fake>(wait)); }

BOOST_AUTO_TEST_CASE(requests_wait_beside_each_other) {
  Wait first;
  Wait second;
  Later later(2);
  add(later, first);
  add(later, second);
  first.begun.get_future().wait();
  second.begun.get_future().wait();
  second.over = true;
  BOOST_TEST(second.result() == 0);
  first.over = true;
  BOOST_TEST(first.result() == 0);
}

BOOST_AUTO_TEST_CASE(more_than_there_are_threads_stand_in_line) {
  std::vector<Wait> waits(10);
  Later later(2);
  for (Wait& wait : waits) add(later, wait);
  for (Wait& wait : waits) wait.over = true;
  for (Wait& wait : waits) BOOST_TEST(wait.result() == 0);
}

BOOST_AUTO_TEST_CASE(a_caller_that_is_killed_gets_its_answer_wherever_it_stands) {
  Wait served;
  Wait in_line;
  Wait behind;
  Later later(1);
  add(later, served);
  add(later, in_line);
  add(later, behind);
  in_line.abandoned = true;
  BOOST_TEST(in_line.result() == EINTR);
  served.abandoned = true;
  BOOST_TEST(served.result() == EINTR);
  behind.over = true;
  BOOST_TEST(behind.result() == 0);
}

BOOST_AUTO_TEST_CASE(at_the_end_all_are_refused) {
  Wait served;
  Wait in_line;
  Wait late;
  Later later(1);
  add(later, served);
  add(later, in_line);
  later.end();
  add(later, late);
  later.join();
  BOOST_TEST(served.result() == ESHUTDOWN);
  BOOST_TEST(in_line.result() == ESHUTDOWN);
  BOOST_TEST(late.result() == ESHUTDOWN);
}

}  // namespace
}  // namespace imagefs::fs
