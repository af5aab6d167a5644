#include "importer/byte_pipe.h"

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <cstring>
#include <semaphore>
#include <string>
#include <string_view>
#include <thread>

#include "blobstore/error.h"

namespace imagefs::importer {
namespace {

constexpr std::size_t kCapacity = 1 << 20;

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

std::string text_of(std::span<const std::byte> bytes) {
  std::string text(bytes.size(), '\0');
  if (!bytes.empty()) std::memcpy(text.data(), bytes.data(), bytes.size());
  return text;
}

std::string read_all(ByteSource& source) {
  std::string all;
  for (auto bytes = source.next(); !bytes.empty(); bytes = source.next()) all += text_of(bytes);
  return all;
}

void ignore() {}

void must_not_be_called() { BOOST_ERROR("called back"); }

BOOST_AUTO_TEST_SUITE(byte_pipe)

BOOST_AUTO_TEST_CASE(what_is_written_is_read_in_order_and_then_the_end_for_ever) {
  BytePipe pipe(kCapacity, must_not_be_called);
  BOOST_TEST(pipe.write(bytes_of("one ")));
  BOOST_TEST(pipe.write({}));
  BOOST_TEST(pipe.write(bytes_of("two")));
  pipe.flush(true, must_not_be_called);
  BOOST_TEST(read_all(pipe) == "one two");
  BOOST_TEST(pipe.next().empty());
  BOOST_TEST(pipe.next().empty());
}

BOOST_AUTO_TEST_CASE(a_stream_may_be_empty) {
  BytePipe pipe(kCapacity, must_not_be_called);
  pipe.flush(true, must_not_be_called);
  BOOST_TEST(pipe.next().empty());
}

BOOST_AUTO_TEST_CASE(a_write_is_taken_whole_or_refused) {
  BytePipe pipe(4, ignore);
  BOOST_TEST(pipe.write(bytes_of("abc")));
  BOOST_TEST(!pipe.write(bytes_of("de")));
  BOOST_TEST(pipe.write(bytes_of("d")));
  BOOST_TEST(!pipe.write(bytes_of("e")));
  pipe.flush(true, must_not_be_called);
  BOOST_TEST(read_all(pipe) == "abcd");
}

BOOST_AUTO_TEST_CASE(a_block_larger_than_the_capacity_fits_into_an_empty_pipe) {
  BytePipe pipe(4, ignore);
  BOOST_TEST(pipe.write(bytes_of("abcdefgh")));
  BOOST_TEST(!pipe.write(bytes_of("i")));
  BOOST_TEST(text_of(pipe.next()) == "abcdefgh");
  BOOST_TEST(pipe.write(bytes_of("ijklmnop")));
  BOOST_TEST(text_of(pipe.next()) == "ijklmnop");
}

BOOST_AUTO_TEST_CASE(room_is_told_only_after_a_refusal) {
  int told = 0;
  BytePipe pipe(4, [&] { ++told; });
  BOOST_TEST(pipe.write(bytes_of("abcd")));
  (void)pipe.next();
  BOOST_TEST(told == 0);
  BOOST_TEST(pipe.write(bytes_of("efgh")));
  BOOST_TEST(!pipe.write(bytes_of("i")));
  BOOST_TEST(told == 0);
  (void)pipe.next();
  BOOST_TEST(told == 1);
  BOOST_TEST(pipe.write(bytes_of("i")));
  (void)pipe.next();
  BOOST_TEST(told == 1);
}

BOOST_AUTO_TEST_CASE(a_refused_write_may_be_repeated_from_the_call_that_tells_of_room) {
  BytePipe* writer = nullptr;
  BytePipe pipe(4, [&] { BOOST_TEST(writer->write(bytes_of("efgh"))); });
  writer = &pipe;
  BOOST_TEST(pipe.write(bytes_of("abcd")));
  BOOST_TEST(!pipe.write(bytes_of("efgh")));
  BOOST_TEST(text_of(pipe.next()) == "abcd");
  BOOST_TEST(text_of(pipe.next()) == "efgh");
}

BOOST_AUTO_TEST_CASE(small_writes_are_read_as_one_block) {
  BytePipe pipe(kCapacity, must_not_be_called);
  for (int i = 0; i < 10'000; ++i) BOOST_REQUIRE(pipe.write(bytes_of("abc")));
  BOOST_TEST(pipe.next().size() == 30'000U);
}

BOOST_AUTO_TEST_CASE(zeros_take_no_room) {
  constexpr std::uint64_t kHole = 3'000'000'001;
  BytePipe pipe(4, must_not_be_called);
  BOOST_TEST(pipe.write(bytes_of("ab")));
  BOOST_TEST(pipe.write_zeros(1));
  BOOST_TEST(pipe.write_zeros(kHole - 1));
  BOOST_TEST(pipe.write(bytes_of("cd")));
  pipe.flush(true, must_not_be_called);
  BOOST_TEST(text_of(pipe.next()) == "ab");
  std::uint64_t zeros = 0;
  while (zeros < kHole) {
    const auto bytes = pipe.next();
    BOOST_REQUIRE(!bytes.empty());
    BOOST_REQUIRE((bytes.front() == std::byte{0} && bytes.back() == std::byte{0}));
    zeros += bytes.size();
  }
  BOOST_TEST(zeros == kHole);
  BOOST_TEST(read_all(pipe) == "cd");
}

BOOST_AUTO_TEST_CASE(blocks_that_wait_are_bounded_in_number) {
  int told = 0;
  BytePipe pipe(kCapacity, [&] { ++told; });
  std::size_t taken = 0;
  while (pipe.write(bytes_of("x")) && pipe.write_zeros(1)) {
    ++taken;
    BOOST_REQUIRE(taken <= BytePipe::kMaxBlocks);
  }
  BOOST_TEST(text_of(pipe.next()) == "x");
  BOOST_TEST(told == 1);
  BOOST_TEST(pipe.write(bytes_of("x")));
}

BOOST_AUTO_TEST_CASE(a_flush_is_answered_when_all_bytes_are_taken) {
  BytePipe pipe(kCapacity, must_not_be_called);
  bool more = false;
  pipe.set_complete([] { return false; });
  BOOST_TEST(pipe.write(bytes_of("half")));
  pipe.flush(false, [&] {
    more = true;
    BOOST_TEST(pipe.write(bytes_of("rest")));
  });
  BOOST_TEST(text_of(pipe.next()) == "half");
  BOOST_TEST(!more);
  BOOST_TEST(text_of(pipe.next()) == "rest");
  BOOST_TEST(more);
}

BOOST_AUTO_TEST_CASE(a_flush_of_what_is_complete_ends_the_stream) {
  BytePipe pipe(kCapacity, must_not_be_called);
  bool all_taken = false;
  pipe.set_complete([&] { return all_taken; });
  BOOST_TEST(pipe.write(bytes_of("whole")));
  pipe.flush(false, must_not_be_called);
  BOOST_TEST(text_of(pipe.next()) == "whole");
  all_taken = true;
  BOOST_TEST(pipe.next().empty());
  BOOST_TEST(pipe.write(bytes_of("padding")));
  BOOST_TEST(pipe.next().empty());
}

BOOST_AUTO_TEST_CASE(a_flush_waits_for_what_is_written_before_its_answer) {
  BytePipe pipe(kCapacity, must_not_be_called);
  int asked = 0;
  pipe.set_complete([&] { return ++asked > 0; });
  pipe.flush(false, must_not_be_called);
  BOOST_TEST(pipe.write(bytes_of("late")));
  BOOST_TEST(text_of(pipe.next()) == "late");
  BOOST_TEST(asked == 0);
  BOOST_TEST(pipe.next().empty());
  BOOST_TEST(asked == 1);
}

BOOST_AUTO_TEST_CASE(each_of_several_flushes_is_answered) {
  BytePipe pipe(kCapacity, must_not_be_called);
  std::string answers;
  pipe.flush(false, [&] { answers += 'a'; });
  pipe.flush(false, [&] {
    answers += 'b';
    pipe.flush(true, must_not_be_called);
  });
  BOOST_TEST(pipe.next().empty());
  BOOST_TEST(answers == "ab");
}

BOOST_AUTO_TEST_CASE(a_flush_that_ends_the_stream_answers_the_one_before_it_too) {
  BytePipe pipe(kCapacity, must_not_be_called);
  pipe.set_complete([] { return false; });
  pipe.flush(false, must_not_be_called);
  pipe.flush(true, must_not_be_called);
  BOOST_TEST(pipe.next().empty());
}

BOOST_AUTO_TEST_CASE(bytes_after_the_end_are_dropped) {
  BytePipe pipe(4, must_not_be_called);
  BOOST_TEST(pipe.write(bytes_of("abcd")));
  pipe.flush(true, must_not_be_called);
  BOOST_TEST(pipe.write(bytes_of("dropped")));
  BOOST_TEST(pipe.write_zeros(7));
  BOOST_TEST(read_all(pipe) == "abcd");
}

BOOST_AUTO_TEST_CASE(an_abort_overtakes_the_bytes_that_wait) {
  BytePipe pipe(4, must_not_be_called);
  BOOST_TEST(pipe.write(bytes_of("abcd")));
  pipe.check();
  pipe.abort(std::make_exception_ptr(Error(ECANCELED, "cancelled")));
  BOOST_CHECK_THROW(pipe.check(), Error);
  const auto cancelled = [](const Error& error) { return error.errno_value() == ECANCELED; };
  BOOST_CHECK_EXCEPTION((void)pipe.next(), Error, cancelled);
  BOOST_CHECK_EXCEPTION((void)pipe.next(), Error, cancelled);
  BOOST_TEST(pipe.write(bytes_of("dropped")));
}

BOOST_AUTO_TEST_CASE(a_closed_reader_drops_bytes_and_leaves_flushes_to_the_outcome) {
  int told = 0;
  BytePipe pipe(4, [&] { ++told; });
  BOOST_TEST(pipe.write(bytes_of("abcd")));
  BOOST_TEST(!pipe.write(bytes_of("e")));
  pipe.flush(false, must_not_be_called);
  pipe.close_reader();
  BOOST_TEST(told == 1);
  BOOST_TEST(pipe.write(bytes_of("e")));
  pipe.flush(false, must_not_be_called);
  BOOST_TEST(pipe.next().empty());
}

BOOST_AUTO_TEST_CASE(a_waiting_reader_is_woken_by_bytes_flushes_and_an_abort) {
  BytePipe pipe(kCapacity, must_not_be_called);
  pipe.set_complete([] { return false; });
  std::binary_semaphore answered(0);
  std::string read;
  std::atomic<bool> aborted = false;
  std::thread reader([&] {
    try {
      for (;;) read += text_of(pipe.next());
    } catch (const Error&) {
      aborted = true;
    }
  });
  BOOST_TEST(pipe.write(bytes_of("abc")));
  pipe.flush(false, [&] { answered.release(); });
  answered.acquire();
  pipe.flush(false, [&] { answered.release(); });
  answered.acquire();
  pipe.abort(std::make_exception_ptr(Error(ECANCELED, "cancelled")));
  reader.join();
  BOOST_TEST(aborted);
  BOOST_TEST(read == "abc");
}

// Writes as a FUSE thread does: what is refused is parked, and the call that tells of room repeats
// it.
class ParkingWriter {
 public:
  explicit ParkingWriter(std::size_t capacity) : pipe_(capacity, [this] { retry(); }) {}

  BytePipe& pipe() { return pipe_; }

  void write(std::string_view bytes) {
    std::unique_lock lock(mutex_);
    if (pipe_.write(bytes_of(bytes))) return;
    parked_ = bytes;
    unparked_.wait(lock, [this] { return parked_.empty(); });
  }

 private:
  void retry() {
    const std::lock_guard lock(mutex_);
    if (parked_.empty() || !pipe_.write(bytes_of(parked_))) return;
    parked_ = {};
    unparked_.notify_one();
  }

  std::mutex mutex_;
  std::condition_variable unparked_;
  std::string_view parked_;
  BytePipe pipe_;
};

BOOST_AUTO_TEST_CASE(a_writer_that_is_faster_than_the_reader_loses_nothing) {
  std::string sent;
  for (int i = 0; sent.size() < 4 * kCapacity; ++i) sent += std::to_string(i);
  ParkingWriter writer(64 << 10);
  std::string received;
  std::thread reader([&] { received = read_all(writer.pipe()); });
  for (std::size_t at = 0, size = 1; at < sent.size(); at += size, size = size * 7 % 100'003) {
    writer.write(std::string_view(sent).substr(at, size));
  }
  writer.pipe().flush(true, must_not_be_called);
  reader.join();
  BOOST_TEST((received == sent));
}

BOOST_AUTO_TEST_CASE(a_reader_that_closes_frees_a_writer_that_waits) {
  ParkingWriter writer(4);
  std::thread reader([&] {
    (void)writer.pipe().next();
    writer.pipe().close_reader();
  });
  for (int i = 0; i < 100; ++i) writer.write("abcd");
  reader.join();
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace imagefs::importer
