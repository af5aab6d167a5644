#include "importer/decoder_memory.h"

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <future>
#include <latch>
#include <optional>
#include <thread>
#include <utility>

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

// Two imports, each with an archive's decoder and a layer's that both need most of the budget.
BOOST_AUTO_TEST_CASE(layers_in_compressed_archives_wait_for_no_archive) {
  constexpr std::size_t kHalf = std::size_t{80} << 20;
  constexpr std::size_t kMost = std::size_t{96} << 20;
  std::latch both_hold(2);
  const auto import = [&] {
    const DecoderMemory::Lease archive = DecoderMemory::process().acquire(kHalf);
    both_hold.arrive_and_wait();
    for (int i = 0; i < 3; ++i) {
      const DecoderMemory::Lease layer = DecoderMemory::process().acquire(kMost);
      BOOST_TEST(layer.bytes() == kMost);
    }
  };
  auto first = std::async(std::launch::async, import);
  auto second = std::async(std::launch::async, import);
  first.get();
  second.get();
}

BOOST_AUTO_TEST_CASE(what_is_exchanged_is_not_lost_to_who_waits) {
  DecoderMemory memory(100, 1h);
  DecoderMemory later(100, 1h, 1);
  const DecoderMemory::Lease layer = later.acquire(1);  // so nothing can be waited for
  DecoderMemory::Lease lease = memory.acquire(60);
  auto other = std::async(std::launch::async, [&] { return memory.acquire(50).bytes(); });
  for (std::size_t bytes = 61; bytes <= 100; ++bytes) {
    lease = memory.acquire(bytes, std::move(lease));
    BOOST_TEST(lease.bytes() == bytes);
  }
  lease = memory.acquire(50, std::move(lease));
  BOOST_TEST(other.get() == 50U);
}

BOOST_AUTO_TEST_CASE(a_lease_is_extended_at_once_or_stays) {
  DecoderMemory memory(100, 1h);
  {
    DecoderMemory::Lease lease = memory.acquire(60);
    BOOST_CHECK_EXCEPTION(lease.extend(41), Error, no_memory);
    BOOST_TEST(lease.bytes() == 60U);
    lease.extend(40);
    BOOST_TEST(lease.bytes() == 100U);
  }
  BOOST_TEST(memory.acquire(100).bytes() == 100U);
}

// Else two imports could wait for each other: one with a layer's memory for an archive's, one with
// an archive's for a layer's.
BOOST_AUTO_TEST_CASE(who_holds_a_layers_waits_for_no_archive) {
  DecoderMemory archives(100, 1h, 0);
  DecoderMemory layers(100, 1h, 1);
  const DecoderMemory::Lease others = archives.acquire(60);
  auto import = std::async(std::launch::async, [&] {
    const DecoderMemory::Lease layer = layers.acquire(60);
    (void)archives.acquire(50);
  });
  BOOST_CHECK_EXCEPTION(import.get(), Error, no_memory);
}

BOOST_AUTO_TEST_CASE(waiting_ends_when_it_is_cancelled) {
  DecoderMemory memory(100, 1h);
  const DecoderMemory::Lease lease = memory.acquire(60);
  std::atomic<bool> cancelled = false;
  auto other = std::async(std::launch::async, [&] {
    const DecoderMemory::Cancellation cancellation([&] {
      if (cancelled) throw Error(ECANCELED, "the copy was cancelled");
    });
    (void)memory.acquire(50);
  });
  cancelled = true;
  BOOST_CHECK_EXCEPTION(other.get(), Error,
                        [](const Error& error) { return error.errno_value() == ECANCELED; });
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
