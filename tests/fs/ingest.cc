#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <string>

#include "tests/fs/ingest_fixture.h"

namespace imagefs::fs {
namespace {

using namespace test;

BOOST_FIXTURE_TEST_SUITE(ingest, IngestFixture)

BOOST_AUTO_TEST_CASE(a_file_is_listed_until_its_end_and_still_answers_after_it) {
  const Ingest::Opened opened = create("a.tar");
  BOOST_TEST(write(opened, "END") == 0);
  BOOST_TEST(listed() == Names{"a.tar"}, boost::test_tools::per_element());
  BOOST_TEST(flush(opened) == 0);
  BOOST_TEST(listed().empty());
  BOOST_TEST((ingest.lookup("a.tar") == opened.file));
  BOOST_TEST(opened.file->attributes().st_size == 3);
  opened.file->change_mode(0600);
  BOOST_TEST((opened.file->attributes().st_mode & 07777) == 0600U);
}

BOOST_AUTO_TEST_CASE(a_consumed_archive_can_be_opened_and_not_read) {
  BOOST_TEST(copy("a.tar", "END") == 0);
  const ContentPtr content = ingest.lookup("a.tar")->open();
  std::byte byte{};
  BOOST_TEST(errno_of([&] { (void)content->read({&byte, 1}, 0); }) == EPERM);
}

BOOST_AUTO_TEST_CASE(half_an_archive_leaves_its_reason_when_close_returns) {
  const Ingest::Opened opened = create("a.tar");
  BOOST_TEST(write(opened, "half") == 0);
  BOOST_TEST(flush(opened) == ENODATA);
  BOOST_TEST(line("a.tar.error").starts_with("closed before it was complete"));
  ingest.release(opened);
  BOOST_TEST(comes_true([&] { return line("a.tar.error") == "END is missing\n"; }));
}

BOOST_AUTO_TEST_CASE(a_touched_file_leaves_nothing) {
  const Ingest::Opened opened = create("a.tar");
  BOOST_TEST(flush(opened) == 0);
  ingest.release(opened);
  BOOST_TEST(listed().empty());
  BOOST_TEST(opened.file->expire(IngestFile::Clock::now()));
}

BOOST_AUTO_TEST_CASE(a_second_writer_is_busy) {
  const Ingest::Opened first = create("a.tar");
  BOOST_TEST(write(first, "half") == 0);
  BOOST_TEST(errno_of([&] { (void)ingest.open(first.file, 0, kAlice); }) == EBUSY);
  BOOST_TEST(errno_of([&] { (void)ingest.create("a.tar", 0644, O_TRUNC, kAlice); }) == EBUSY);
  BOOST_TEST(errno_of([&] { (void)ingest.create("a.tar", 0644, O_EXCL, kAlice); }) == EEXIST);
}

BOOST_AUTO_TEST_CASE(a_writer_that_has_closed_makes_way_before_its_release) {
  const Ingest::Opened first = create("a.tar");
  BOOST_TEST(write(first, "half") == 0);
  BOOST_TEST(flush(first) == ENODATA);
  const Ingest::Opened second = ingest.open(first.file, 0, kAlice);
  ingest.release(first);
  BOOST_TEST(write(second, "END") == 0);
  BOOST_TEST(flush(second) == 0);
  BOOST_TEST(errno_of([&] { (void)first.file->upload(first.writer); }) == ESTALE);
  BOOST_TEST(listed().empty());
}

BOOST_AUTO_TEST_CASE(a_writer_whose_close_waits_for_the_import_is_still_one) {
  import.hold();
  const Ingest::Opened first = create("a.tar");
  BOOST_TEST(write(first, "END") == 0);
  Answer closed;
  first.file->upload()->flush(true, closed.pending());
  BOOST_TEST(errno_of([&] { (void)ingest.open(first.file, 0, kAlice); }) == EBUSY);
  import.go();
  BOOST_TEST(closed.wait() == 0);
}

BOOST_AUTO_TEST_CASE(a_truncate_to_nothing_starts_over) {
  const Ingest::Opened opened = create("a.tar");
  BOOST_TEST(write(opened, "half an archive") == 0);
  ingest.truncate(opened.file, 0, kAlice);
  BOOST_TEST(opened.file->attributes().st_size == 0);
  BOOST_TEST(write(opened, "END") == 0);
  BOOST_TEST(flush(opened) == 0);
  BOOST_TEST(import.text() == "END");
  BOOST_TEST(listed().empty());
}

BOOST_AUTO_TEST_CASE(one_user_takes_half_and_all_together_the_whole) {
  const Ingest::Opened first = create("a.tar");
  const Ingest::Opened second = create("b.tar");
  BOOST_TEST(errno_of([&] { (void)create("c.tar"); }) == EAGAIN);
  const Ingest::Opened third = create("c.tar", kBob);
  const Ingest::Opened fourth = create("d.tar", kRoot);
  BOOST_TEST(errno_of([&] { (void)create("e.tar", kBob); }) == EAGAIN);
  BOOST_TEST(errno_of([&] { (void)create("e.tar", kRoot); }) == EAGAIN);
}

BOOST_AUTO_TEST_CASE(root_and_who_mounted_take_the_whole) {
  const Caller daemon{.uid = kDaemon, .gid = kDaemon, .pid = 13};
  std::vector<Ingest::Opened> opened;
  for (const char* name : {"a.tar", "b.tar", "c.tar"}) opened.push_back(create(name, daemon));
  opened.push_back(create("d.tar", kRoot));
  BOOST_TEST(errno_of([&] { (void)create("e.tar", kRoot); }) == EAGAIN);
}

BOOST_AUTO_TEST_CASE(more_than_the_limit_is_refused_and_told) {
  const Ingest::Opened first = create("a.tar");
  const Ingest::Opened second = create("b.tar");
  BOOST_TEST(errno_of([&] { (void)create("c.tar"); }) == EAGAIN);
  BOOST_TEST(refused == Names{"c.tar"}, boost::test_tools::per_element());
  BOOST_TEST((ingest.lookup("c.tar") == nullptr));
  BOOST_TEST(write(first, "END") == 0);
  BOOST_TEST(flush(first) == 0);
  const Ingest::Opened third = create("c.tar");
  BOOST_TEST(write(third, "half") == 0);
  BOOST_TEST(flush(third) == ENODATA);
  BOOST_TEST(errno_of([&] { (void)create("d.tar"); }) == 0);
}

BOOST_AUTO_TEST_CASE(what_is_kept_open_after_its_close_counts_up_to_twice_the_limit) {
  std::vector<Ingest::Opened> cut;
  for (const char* name : {"a.tar", "b.tar", "c.tar", "d.tar"}) {
    cut.push_back(create(name));
    BOOST_TEST(write(cut.back(), "half") == 0);
    BOOST_TEST(flush(cut.back()) == ENODATA);
  }
  BOOST_TEST(errno_of([&] { (void)create("e.tar"); }) == EAGAIN);
  for (const Ingest::Opened& one : cut) ingest.release(one);
  BOOST_TEST(comes_true([&] { return errno_of([&] { (void)create("e.tar"); }) == 0; }));
}

BOOST_AUTO_TEST_CASE(what_waits_for_its_name_counts_up_to_twice_the_limit) {
  for (const char* name : {".a", ".b", ".c", ".d"}) BOOST_TEST(copy(name, "END") == 0);
  BOOST_TEST(errno_of([&] { (void)create("e.tar"); }) == EAGAIN);
  ingest.rename(".a", "a", false, kAlice);
  BOOST_TEST(errno_of([&] { (void)create("e.tar"); }) == 0);
}

BOOST_AUTO_TEST_CASE(a_refusal_can_be_removed) {
  BOOST_TEST(copy("a.tar", "BAD") == EBADMSG);
  BOOST_TEST(errno_of([&] { ingest.unlink("a.tar.error", kBob); }) == EACCES);
  ingest.unlink("a.tar.error", kAlice);
  BOOST_TEST(listed().empty());
  BOOST_TEST(errno_of([&] { ingest.unlink("a.tar.error", kAlice); }) == ENOENT);
}

BOOST_AUTO_TEST_CASE(another_users_file_is_out_of_reach) {
  const Ingest::Opened opened = create("a.tar");
  BOOST_TEST(errno_of([&] { ingest.unlink("a.tar", kBob); }) == EACCES);
  BOOST_TEST(errno_of([&] { ingest.rename("a.tar", "b.tar", false, kBob); }) == EACCES);
  BOOST_TEST(errno_of([&] { ingest.truncate(opened.file, 0, kBob); }) == EACCES);
  BOOST_TEST(errno_of([&] { ingest.open(opened.file, 0, kBob); }) == EACCES);
  BOOST_TEST(errno_of([&] { ingest.unlink("a.tar", kRoot); }) == 0);
}

BOOST_AUTO_TEST_CASE(a_listing_goes_on_where_it_stopped) {
  for (const char* name : {"a", "b", "c"}) BOOST_TEST(copy(name, "BAD") == EBADMSG);
  Names names;
  std::uint64_t next = 0;
  for (int i = 0; i < 3; ++i) {
    ingest.directory()->list(next, [&](const ListedName& name) {
      names.emplace_back(name.name);
      next = name.next;
      return false;
    });
  }
  BOOST_TEST(names == (Names{"a.error", "b.error", "c.error"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_change_shows_in_the_directorys_time) {
  const auto before = ingest.directory()->attributes().st_mtim;
  const Ingest::Opened opened = create("a.tar");
  const auto after = ingest.directory()->attributes().st_mtim;
  BOOST_TEST((before.tv_sec != after.tv_sec || before.tv_nsec != after.tv_nsec));
}

BOOST_AUTO_TEST_CASE(a_name_that_is_too_long_is_refused) {
  BOOST_TEST(errno_of([&] { (void)create(std::string(250, 'x')); }) == ENAMETOOLONG);
  BOOST_TEST(errno_of([&] { (void)create(std::string(249, 'x')); }) == 0);
}

BOOST_AUTO_TEST_CASE(what_arrives_at_the_end_of_the_mount_is_cancelled) {
  const Ingest::Opened opened = create("a.tar");
  BOOST_TEST(write(opened, "half") == 0);
  ingest.stop();
  BOOST_TEST(write(opened, "END", 4) == ECANCELED);
  BOOST_TEST(errno_of([&] { (void)create("b.tar"); }) == ESHUTDOWN);
}

BOOST_AUTO_TEST_SUITE_END()

struct ShortGrace : IngestFixture {
  ShortGrace() : IngestFixture({.uid = kDaemon, .grace = std::chrono::milliseconds(1)}) {}
};

BOOST_FIXTURE_TEST_CASE(a_name_is_forgotten_after_its_grace, ShortGrace) {
  BOOST_TEST(copy("a.tar", "END") == 0);
  BOOST_TEST(comes_true([&] { return ingest.lookup("a.tar") == nullptr; }));
}

BOOST_FIXTURE_TEST_CASE(a_temporary_name_that_is_not_renamed_comes_to_nothing, ShortGrace) {
  BOOST_TEST(copy(".a.tar.x", "END") == 0);
  BOOST_TEST(comes_true([&] { return ingest.lookup(".a.tar.x") == nullptr; }));
  BOOST_TEST(errno_of([&] { ingest.rename(".a.tar.x", "a.tar", false, kAlice); }) == ENOENT);
  BOOST_TEST(published.empty());
}

struct Idle : IngestFixture {
  Idle() : IngestFixture({.uid = kDaemon, .idle_timeout = std::chrono::seconds(1)}) {}
};

BOOST_FIXTURE_TEST_CASE(an_idle_import_is_given_up, Idle) {
  const Ingest::Opened opened = create("a.tar");
  BOOST_TEST(write(opened, "half") == 0);
  BOOST_TEST(comes_true([&] { return opened.file->upload()->is_settled(); }));
  BOOST_TEST(write(opened, "END", 4) == ETIMEDOUT);
}

BOOST_FIXTURE_TEST_CASE(a_killed_writers_request_is_let_go_of, IngestFixture) {
  import.hold();
  const Ingest::Opened opened = create("a.tar");
  BOOST_TEST(write(opened, std::string(3 << 20, 'x')) == 0);
  Answer killed;
  opened.file->upload()->write(std::as_bytes(std::span("END", 3)), 3 << 20, killed.pending());
  killed.abandon();
  BOOST_TEST(killed.wait() == EINTR);
}

}  // namespace
}  // namespace imagefs::fs
