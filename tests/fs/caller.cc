#include "fs/caller.h"

#include <sys/wait.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <thread>

namespace imagefs::fs {
namespace {

BOOST_AUTO_TEST_SUITE(caller)

BOOST_AUTO_TEST_CASE(a_thread_belongs_to_its_process) {
  pid_t group = 0;
  pid_t thread = 0;
  std::thread([&] {
    thread = ::gettid();
    group = thread_group(thread);
  }).join();
  BOOST_TEST(group == ::getpid());
  BOOST_TEST(thread != ::getpid());
}

BOOST_AUTO_TEST_CASE(a_thread_that_cannot_be_seen_has_no_process) {
  BOOST_TEST(thread_group(0) == 0);
}

BOOST_AUTO_TEST_CASE(a_handled_signal_that_waits_kills_nobody) {
  sigset_t blocked;
  ::sigemptyset(&blocked);
  ::sigaddset(&blocked, SIGUSR2);
  ::pthread_sigmask(SIG_BLOCK, &blocked, nullptr);
  ::pthread_kill(::pthread_self(), SIGUSR2);
  BOOST_TEST(!is_dying(::gettid()));
  int received = 0;
  ::sigwait(&blocked, &received);
  ::pthread_sigmask(SIG_UNBLOCK, &blocked, nullptr);
}

BOOST_AUTO_TEST_CASE(a_thread_that_is_gone_is_dying) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  ::waitpid(child, nullptr, 0);
  BOOST_TEST(is_dying(child));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace imagefs::fs
