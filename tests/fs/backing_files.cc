#include "fs/backing_files.h"

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <set>
#include <thread>
#include <vector>

namespace imagefs::fs {
namespace {

constexpr NodeId kNode = 7;
constexpr NodeId kOther = 8;
constexpr int kFd = 5;

// Gives numbers from 1 on, or refuses.
class FakeKernel {
 public:
  BackingFiles::Kernel functions() {
    return {.open = [this](int fd) { return open(fd); }, .close = [this](int id) { close(id); }};
  }

  int refusal = 0;  // -errno
  int asked = 0;
  std::vector<int> given;     // descriptors
  std::multiset<int> closed;  // numbers
  std::set<int> held;

 private:
  int open(int fd) {
    ++asked;
    if (refusal != 0) return refusal;
    given.push_back(fd);
    held.insert(++last_);
    return last_;
  }
  void close(int id) {
    closed.insert(id);
    held.erase(id);
  }

  int last_ = 0;
};

struct Fixture {
  Fixture() { files.start(kernel.functions()); }
  FakeKernel kernel;
  BackingFiles files;
};

BOOST_AUTO_TEST_CASE(without_a_kernel_that_takes_files_all_is_read_by_requests) {
  BackingFiles files;
  BOOST_TEST(files.open(kNode, kFd).id() == 0);
}

BOOST_FIXTURE_TEST_CASE(opens_of_a_node_share_a_number_until_the_last_one_ends, Fixture) {
  {
    const BackingFiles::Open first = files.open(kNode, kFd);
    {
      const BackingFiles::Open second = files.open(kNode, kFd + 1);
      BOOST_TEST(first.id() == 1);
      BOOST_TEST(second.id() == 1);
    }
    BOOST_TEST(kernel.closed.empty());
  }
  BOOST_TEST(kernel.given == std::vector{kFd}, boost::test_tools::per_element());
  BOOST_TEST(kernel.closed.count(1) == 1U);
  BOOST_TEST(files.open(kNode, kFd).id() == 2);
}

BOOST_FIXTURE_TEST_CASE(each_node_has_its_own_number, Fixture) {
  const BackingFiles::Open one = files.open(kNode, kFd);
  const BackingFiles::Open other = files.open(kOther, kFd);
  BOOST_TEST(one.id() == 1);
  BOOST_TEST(other.id() == 2);
}

BOOST_FIXTURE_TEST_CASE(a_moved_open_ends_once, Fixture) {
  {
    BackingFiles::Open first = files.open(kNode, kFd);
    BackingFiles::Open moved = std::move(first);
    BackingFiles::Open assigned;
    assigned = std::move(moved);
    BOOST_TEST(assigned.id() == 1);
  }
  BOOST_TEST(kernel.closed.size() == 1U);
}

BOOST_FIXTURE_TEST_CASE(the_first_open_decides_for_those_that_come_while_it_lasts, Fixture) {
  {
    const BackingFiles::Open by_requests = files.open(kNode, std::nullopt);
    BOOST_TEST(by_requests.id() == 0);
    BOOST_TEST(files.open(kNode, kFd).id() == 0);
  }
  BOOST_TEST(kernel.asked == 0);
  const BackingFiles::Open by_kernel = files.open(kNode, kFd);
  BOOST_TEST(by_kernel.id() == 1);
  BOOST_TEST(files.open(kNode, std::nullopt).id() == 1);
}

BOOST_FIXTURE_TEST_CASE(a_node_whose_file_is_not_taken_is_read_by_requests_until_its_last_open_ends,
                        Fixture) {
  kernel.refusal = -ENOMEM;
  {
    const BackingFiles::Open first = files.open(kNode, kFd);
    kernel.refusal = 0;
    BOOST_TEST(first.id() == 0);
    BOOST_TEST(files.open(kNode, kFd).id() == 0);
    BOOST_TEST(files.open(kOther, kFd).id() == 1);
  }
  BOOST_TEST(kernel.closed.count(0) == 0U);
  BOOST_TEST(files.open(kNode, kFd).id() == 2);
}

BOOST_AUTO_TEST_CASE(a_kernel_that_will_never_take_a_file_is_asked_once) {
  for (const int refusal : {-EPERM, -ELOOP}) {
    Fixture made;
    made.kernel.refusal = refusal;
    const BackingFiles::Open first = made.files.open(kNode, kFd);
    made.kernel.refusal = 0;
    BOOST_TEST(made.files.open(kNode, kFd).id() == 0);
    BOOST_TEST(made.files.open(kOther, kFd).id() == 0);
    BOOST_TEST(made.kernel.asked == 1);
  }
}

BOOST_FIXTURE_TEST_CASE(a_node_that_was_given_keeps_its_number_when_no_more_are_taken, Fixture) {
  const BackingFiles::Open given = files.open(kNode, kFd);
  kernel.refusal = -EPERM;
  const BackingFiles::Open refused = files.open(kOther, kFd);
  BOOST_TEST(refused.id() == 0);
  BOOST_TEST(files.open(kNode, kFd).id() == given.id());
}

// The kernel's own count, of one node: no two numbers may be in use at one time.
BOOST_AUTO_TEST_CASE(all_opens_at_one_time_have_the_number_of_the_first) {
  constexpr int kThreads = 4;
  constexpr int kRounds = 2000;
  std::atomic<int> last = 0;
  std::atomic<int> held = 0;
  std::atomic<bool> is_wrong = false;
  BackingFiles files;
  files.start({.open =
                   [&](int) {
                     ++held;
                     return ++last;
                   },
               .close = [&](int) { --held; }});
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < kRounds; ++round) {
        const BackingFiles::Open one = files.open(kNode, kFd);
        const BackingFiles::Open two = files.open(kNode, kFd);
        if (one.id() == 0 || one.id() != two.id()) is_wrong = true;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  BOOST_TEST(!is_wrong);
  BOOST_TEST(held == 0);
}

}  // namespace
}  // namespace imagefs::fs
