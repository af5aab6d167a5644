#include "fs/upload.h"

#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <string>
#include <string_view>

#include "blobstore/error.h"
#include "fs/threads.h"
#include "tests/fs/fake_import.h"
#include "tests/fs/fake_pending.h"

namespace imagefs::fs {
namespace {

using test::Answer;
using namespace std::string_literals;

constexpr std::size_t kCapacity = 1024;

struct Fixture {
  Fixture() {
    upload = std::make_shared<Upload>(
        kCapacity,
        Upload::Hooks{
            .start = [this](std::function<void()> work) { threads.start(std::move(work)); },
            .import = [this](importer::BytePipe& pipe) { return import.run(pipe); },
            .incomplete = [this](const Upload&, const std::string&) { ++incomplete; },
            .settled = [this](const Upload&, const Verdict& how) { settled.push_back(how); }});
  }
  ~Fixture() {
    import.go();
    upload->cancel(ECANCELED, "the test has ended");
    upload->release();
    threads.join();
  }

  void write(std::string_view text, std::uint64_t offset, Answer& answer) {
    upload->write(std::as_bytes(std::span(text)), offset, answer.pending());
  }
  int write(std::string_view text, std::uint64_t offset) {
    Answer answer;
    write(text, offset, answer);
    return answer.wait();
  }
  int flush(bool by_opener) {
    Answer answer;
    upload->flush(by_opener, answer.pending());
    return answer.wait();
  }

  test::FakeImport import;
  std::atomic<int> incomplete = 0;
  std::vector<Verdict> settled;  // to be read after the import's end
  Threads threads;
  std::shared_ptr<Upload> upload;
};

BOOST_FIXTURE_TEST_SUITE(upload, Fixture)

BOOST_AUTO_TEST_CASE(a_complete_archive_is_imported_at_its_close) {
  BOOST_TEST(write("some ", 0) == 0);
  BOOST_TEST(write("END", 5) == 0);
  BOOST_TEST(flush(true) == 0);
  BOOST_TEST(upload->is_settled());
  BOOST_TEST(import.text() == "some END");
  BOOST_TEST(settled.size() == 1U);
  BOOST_TEST(settled.at(0).errno_value == 0);
}

BOOST_AUTO_TEST_CASE(a_close_before_any_byte_is_fine) {
  BOOST_TEST(flush(true) == 0);
  BOOST_TEST(flush(false) == 0);
  BOOST_TEST(!upload->is_settled());
  upload->release();
  BOOST_TEST(upload->is_settled());
  BOOST_TEST(settled.empty());
}

BOOST_AUTO_TEST_CASE(the_openers_close_of_half_an_archive_is_ENODATA) {
  BOOST_TEST(write("half", 0) == 0);
  BOOST_TEST(flush(true) == ENODATA);
  BOOST_TEST(incomplete == 1);
  BOOST_TEST(!upload->is_settled());
}

BOOST_AUTO_TEST_CASE(another_process_may_close_half_an_archive_and_the_next_goes_on) {
  BOOST_TEST(write("half ", 0) == 0);
  BOOST_TEST(flush(false) == 0);
  BOOST_TEST(incomplete == 0);
  BOOST_TEST(write("END", 5) == 0);
  BOOST_TEST(flush(false) == 0);
  BOOST_TEST(upload->is_settled());
  BOOST_TEST(import.text() == "half END");
}

BOOST_AUTO_TEST_CASE(an_ENODATA_close_of_one_descriptor_leaves_the_others) {
  BOOST_TEST(write("half ", 0) == 0);
  BOOST_TEST(flush(true) == ENODATA);
  BOOST_TEST(write("END", 5) == 0);
  BOOST_TEST(flush(true) == 0);
}

BOOST_AUTO_TEST_CASE(the_last_close_settles_half_an_archive) {
  BOOST_TEST(write("half", 0) == 0);
  BOOST_TEST(flush(false) == 0);
  upload->release();
  threads.join();
  BOOST_TEST(settled.size() == 1U);
  BOOST_TEST(settled.at(0).errno_value == ENODATA);
  BOOST_TEST(write("more", 4) == ENODATA);
}

BOOST_AUTO_TEST_CASE(a_failed_import_fails_the_next_write_and_the_close) {
  BOOST_TEST(write("BAD", 0) == 0);
  threads.join();
  BOOST_TEST(write("more", 3) == EBADMSG);
  BOOST_TEST(flush(true) == EBADMSG);
}

BOOST_AUTO_TEST_CASE(what_was_read_cannot_be_written_again) {
  BOOST_TEST(write("0123456789", 0) == 0);
  BOOST_TEST(write("again", 5) == EINVAL);
  BOOST_TEST(write(" END", 10) == 0);
  BOOST_TEST(flush(true) == 0);
}

BOOST_AUTO_TEST_CASE(a_jump_forward_means_zeros) {
  BOOST_TEST(write("a", 0) == 0);
  BOOST_TEST(write("END", 4) == 0);
  BOOST_TEST(flush(true) == 0);
  BOOST_TEST(import.text() == "a\0\0\0END"s);
  BOOST_TEST(upload->size() == 7U);
}

BOOST_AUTO_TEST_CASE(a_truncate_to_the_final_size_gives_the_zeros_at_the_end) {
  BOOST_TEST(write("END", 0) == 0);
  upload->extend(6);
  BOOST_TEST(upload->size() == 6U);
  BOOST_TEST(flush(true) == 0);
  BOOST_TEST(import.text() == "END\0\0\0"s);
}

BOOST_AUTO_TEST_CASE(a_size_given_in_advance_is_filled_by_writes) {
  upload->extend(8);
  BOOST_TEST(write("half ", 0) == 0);
  BOOST_TEST(flush(false) == 0);
  BOOST_TEST(write("END", 5) == 0);
  BOOST_TEST(flush(true) == 0);
  BOOST_TEST(import.text() == "half END");
}

BOOST_AUTO_TEST_CASE(a_file_cannot_shrink) {
  BOOST_TEST(write("12345", 0) == 0);
  BOOST_CHECK_EXCEPTION(upload->extend(3), Error,
                        [](const Error& error) { return error.errno_value() == EINVAL; });
}

BOOST_AUTO_TEST_CASE(only_padding_may_follow_an_archive_that_was_imported) {
  BOOST_TEST(write("END", 0) == 0);
  BOOST_TEST(flush(true) == 0);
  BOOST_TEST(write("\0\0\0"s, 3) == 0);
  BOOST_TEST(write("more", 6) == EINVAL);
  BOOST_TEST(flush(true) == 0);
}

BOOST_AUTO_TEST_CASE(a_write_that_finds_no_room_is_answered_when_there_is) {
  import.hold();
  Answer first;
  Answer second;
  write(std::string(kCapacity, 'x'), 0, first);
  write("END", kCapacity, second);
  BOOST_TEST(first.wait() == 0);
  BOOST_TEST(!second.is_there());
  import.go();
  BOOST_TEST(second.wait() == 0);
  BOOST_TEST(flush(true) == 0);
  BOOST_TEST(import.text() == std::string(kCapacity, 'x') + "END");
}

BOOST_AUTO_TEST_CASE(a_killed_writer_is_let_go_of_and_its_bytes_with_it) {
  import.hold();
  Answer killed;
  BOOST_TEST(write(std::string(kCapacity, 'x'), 0) == 0);
  write("END", kCapacity, killed);
  upload->drop_abandoned();
  BOOST_TEST(!killed.is_there());
  killed.abandon();
  upload->drop_abandoned();
  BOOST_TEST(killed.wait() == EINTR);
  BOOST_TEST(upload->size() == kCapacity);
  import.go();
  BOOST_TEST(flush(true) == ENODATA);
}

BOOST_AUTO_TEST_CASE(a_killed_closer_is_let_go_of_and_the_import_goes_on) {
  import.hold();
  Answer killed;
  BOOST_TEST(write("END", 0) == 0);
  upload->flush(true, killed.pending());
  killed.abandon();
  upload->drop_abandoned();
  BOOST_TEST(killed.wait() == EINTR);
  import.go();
  upload->release();
  threads.join();
  BOOST_TEST(settled.at(0).errno_value == 0);
}

BOOST_AUTO_TEST_CASE(a_cancelled_upload_answers_what_waits) {
  import.hold();
  Answer waiting;
  BOOST_TEST(write(std::string(kCapacity, 'x'), 0) == 0);
  write("END", kCapacity, waiting);
  upload->cancel(ECANCELED, "removed");
  import.go();
  BOOST_TEST(waiting.wait() == ECANCELED);
  BOOST_TEST(write("more", kCapacity + 3) == ECANCELED);
}

BOOST_AUTO_TEST_CASE(a_close_waits_for_the_writes_before_it) {
  import.hold();
  Answer written;
  Answer closed;
  BOOST_TEST(write(std::string(kCapacity, 'x'), 0) == 0);
  write("END", kCapacity, written);
  upload->flush(true, closed.pending());
  import.go();
  BOOST_TEST(written.wait() == 0);
  BOOST_TEST(closed.wait() == 0);
}

BOOST_AUTO_TEST_CASE(it_knows_whether_its_opener_has_closed_it) {
  BOOST_TEST((upload->closing() == Upload::Closing::no));
  BOOST_TEST(flush(true) == 0);
  BOOST_TEST((upload->closing() == Upload::Closing::maybe));
  BOOST_TEST(write("half", 0) == 0);
  BOOST_TEST((upload->closing() == Upload::Closing::no));
  BOOST_TEST(flush(true) == ENODATA);
  BOOST_TEST((upload->closing() == Upload::Closing::closed));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace imagefs::fs
