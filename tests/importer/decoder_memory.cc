#include "importer/decoder_memory.h"

#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <future>
#include <optional>
#include <thread>

#include "blobstore/error.h"

namespace imagefs::importer {
namespace {

using namespace std::chrono_literals;

bool no_memory(const Error& error) { return error.errno_value() == ENOMEM; }

BOOST_AUTO_TEST_SUITE(decoder_memory)

BOOST_AUTO_TEST_CASE(what_was_released_can_be_acquired_again) {
  DecoderMemory memory(100, 0ms);
  for (int i = 0; i < 10; ++i) {
    const DecoderMemory::Lease lease = memory.acquire(100);
    BOOST_TEST(lease.bytes() == 100U);
  }
  DecoderMemory::Lease lease = memory.acquire(60);
  lease.release();
  lease = memory.acquire(70);
  const DecoderMemory::Lease moved = std::move(lease);
  BOOST_TEST(moved.bytes() == 70U);
  BOOST_TEST(memory.acquire(30).bytes() == 30U);
}

BOOST_AUTO_TEST_CASE(a_thread_does_not_wait_for_itself) {
  DecoderMemory memory(100, 1h);
  BOOST_CHECK_EXCEPTION((void)memory.acquire(101), Error, no_memory);
  const DecoderMemory::Lease lease = memory.acquire(60);
  BOOST_CHECK_EXCEPTION((void)memory.acquire(41), Error, no_memory);
}

BOOST_AUTO_TEST_CASE(what_exceeds_the_budget_waits_for_others) {
  DecoderMemory memory(100, 1h);
  std::optional<DecoderMemory::Lease> lease = memory.acquire(60);
  std::promise<std::size_t> acquired;
  std::thread other([&] { acquired.set_value(memory.acquire(50).bytes()); });
  auto bytes = acquired.get_future();
  BOOST_TEST((bytes.wait_for(20ms) == std::future_status::timeout));
  lease.reset();
  BOOST_TEST(bytes.get() == 50U);
  other.join();
}

BOOST_AUTO_TEST_CASE(patience_ends) {
  DecoderMemory memory(100, 1ms);
  const DecoderMemory::Lease lease = memory.acquire(60);
  std::exception_ptr failure;
  std::thread other([&] {
    try {
      (void)memory.acquire(50);
    } catch (...) {
      failure = std::current_exception();
    }
  });
  other.join();
  BOOST_REQUIRE(failure);
  BOOST_CHECK_EXCEPTION(std::rethrow_exception(failure), Error, no_memory);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace imagefs::importer
