// Names of ingest/ that change or go.
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <string>

#include "tests/fs/ingest_fixture.h"

namespace imagefs::fs {
namespace {

using namespace test;

BOOST_FIXTURE_TEST_SUITE(ingest_names, IngestFixture)

BOOST_AUTO_TEST_CASE(a_refusal_says_why_until_a_good_archive_comes) {
  BOOST_TEST(copy("a.tar", "BAD") == EBADMSG);
  BOOST_TEST(listed() == Names{"a.tar.error"}, boost::test_tools::per_element());
  BOOST_TEST(line("a.tar.error") == "BAD is in it\n");
  BOOST_TEST(copy("a.tar", "END") == 0);
  BOOST_TEST(listed().empty());
}

BOOST_AUTO_TEST_CASE(a_removed_file_is_cancelled_and_leaves_nothing) {
  const Ingest::Opened opened = create("a.tar");
  BOOST_TEST(write(opened, "half") == 0);
  ingest.unlink("a.tar", kAlice);
  BOOST_TEST((ingest.lookup("a.tar") == nullptr));
  BOOST_TEST(comes_true([&] { return write(opened, "END", 4) == ECANCELED; }));
  BOOST_TEST(listed().empty());
  BOOST_TEST(errno_of([&] { (void)ingest.open(opened.file, 0, kAlice); }) == ESTALE);
}

BOOST_AUTO_TEST_CASE(a_removed_file_takes_nothing_new_from_its_open_descriptor) {
  const Ingest::Opened opened = create("a.tar");
  BOOST_TEST(write(opened, "half") == 0);
  ingest.unlink("a.tar", kAlice);
  BOOST_TEST(errno_of([&] { ingest.truncate(opened.file, 0, kAlice); }) == ESTALE);
  BOOST_TEST(comes_true([&] { return write(opened, "END", 4) == ECANCELED; }));
  BOOST_TEST(flush(opened) == ECANCELED);
  ingest.stop();  // would wait for an import that nobody ends
}

BOOST_AUTO_TEST_CASE(an_empty_file_that_was_removed_takes_nothing) {
  const Ingest::Opened opened = create("a.tar");
  ingest.unlink("a.tar", kAlice);
  BOOST_TEST(write(opened, "END") == ECANCELED);
  BOOST_TEST(flush(opened) == ECANCELED);
}

BOOST_AUTO_TEST_CASE(a_cut_archive_that_is_renamed_over_is_cancelled) {
  const Ingest::Opened cut = create("a.tar");
  BOOST_TEST(write(cut, "half") == 0);
  BOOST_TEST(flush(cut) == ENODATA);  // another descriptor is still open
  BOOST_TEST(copy(".a.tar.x", "END") == 0);
  ingest.rename(".a.tar.x", "a.tar", false, kAlice);
  BOOST_TEST(comes_true([&] { return write(cut, "END", 4) == ECANCELED; }));
  BOOST_TEST(errno_of([&] { ingest.truncate(cut.file, 0, kAlice); }) == ESTALE);
  BOOST_TEST(listed().empty());
  ingest.stop();
}

BOOST_AUTO_TEST_CASE(a_file_can_be_renamed_while_it_arrives_and_after) {
  const Ingest::Opened opened = create("a.tar");
  BOOST_TEST(write(opened, "half") == 0);
  ingest.rename("a.tar", "b.tar", false, kAlice);
  BOOST_TEST((ingest.lookup("a.tar") == nullptr));
  BOOST_TEST(listed() == Names{"b.tar"}, boost::test_tools::per_element());
  BOOST_TEST(flush(opened) == ENODATA);
  BOOST_TEST((ingest.lookup("b.tar.error") != nullptr));
}

BOOST_AUTO_TEST_CASE(a_rename_spares_what_is_being_written) {
  BOOST_TEST(copy(".a.tar.x", "END") == 0);
  const Ingest::Opened target = create("a.tar");
  BOOST_TEST(errno_of([&] { ingest.rename(".a.tar.x", "a.tar", true, kAlice); }) == EEXIST);
  BOOST_TEST(errno_of([&] { ingest.rename(".a.tar.x", "a.tar", false, kAlice); }) == EBUSY);
  BOOST_TEST(errno_of([&] { ingest.rename("no.tar", "a.tar", false, kAlice); }) == ENOENT);
}

BOOST_AUTO_TEST_CASE(a_temporary_name_is_published_once_at_its_rename) {
  BOOST_TEST(copy("a.tar", "BAD") == EBADMSG);
  BOOST_TEST(copy(".a.tar.x", "END") == 0);
  ingest.rename(".a.tar.x", ".a.tar.y", false, kAlice);
  BOOST_TEST(published.empty());
  ingest.rename(".a.tar.y", "a.tar", false, kAlice);
  ingest.rename("a.tar", ".a.tar.z", false, kAlice);
  ingest.rename(".a.tar.z", "b.tar", false, kAlice);
  BOOST_TEST(published == Names{"a.tar"}, boost::test_tools::per_element());
  BOOST_TEST(listed().empty());
}

BOOST_AUTO_TEST_CASE(a_good_archive_stays_when_it_is_opened_and_nothing_is_written) {
  BOOST_TEST(copy(".a.tar.x", "END") == 0);
  const IngestFilePtr file = ingest.file(ingest.lookup(".a.tar.x")->id());
  const Ingest::Opened touched = ingest.open(file, 0, kAlice);
  BOOST_TEST(file->attributes().st_size == 0);  // to a writer it is empty
  BOOST_TEST(flush(touched) == 0);
  ingest.release(touched);
  BOOST_TEST(file->attributes().st_size == 3);
  ingest.rename(".a.tar.x", "a.tar", false, kAlice);
  BOOST_TEST(published == Names{"a.tar"}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_good_archive_can_be_renamed_before_the_release_of_who_touched_it) {
  BOOST_TEST(copy(".a.tar.x", "END") == 0);
  const Ingest::Opened touched = ingest.create(".a.tar.x", 0644, 0, kAlice);
  BOOST_TEST(flush(touched) == 0);
  ingest.rename(".a.tar.x", "a.tar", false, kAlice);
  ingest.release(touched);
  BOOST_TEST(published == Names{"a.tar"}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_good_archive_makes_way_for_what_is_written_or_a_truncate) {
  for (const int flags : {0, O_TRUNC}) {
    BOOST_TEST(copy(".a.tar.x", "END") == 0);
    const Ingest::Opened again = ingest.create(".a.tar.x", 0644, flags, kAlice);
    if (flags == 0) BOOST_TEST(write(again, "half") == 0);
    BOOST_TEST(flush(again) == (flags == 0 ? ENODATA : 0));
    ingest.release(again);
    BOOST_TEST(comes_true([&] { return again.file->upload()->is_settled(); }));
    BOOST_TEST(errno_of([&] { ingest.rename(".a.tar.x", "a.tar", false, kAlice); }) ==
               (flags == 0 ? ENODATA : 0));
    BOOST_TEST(published.empty());
  }
}

BOOST_AUTO_TEST_CASE(a_good_archive_that_is_removed_before_its_rename_is_ECANCELED) {
  const Ingest::Opened opened = create(".a.tar.x");
  BOOST_TEST(write(opened, "END") == 0);
  BOOST_TEST(flush(opened) == 0);
  ingest.unlink(".a.tar.x", kAlice);
  BOOST_TEST(opened.file->upload()->verdict()->errno_value == ECANCELED);
  BOOST_TEST(flush(opened) == ECANCELED);
}

BOOST_AUTO_TEST_CASE(a_temporary_name_that_is_renamed_before_it_is_written_is_none) {
  const Ingest::Opened opened = create(".a.tar.x");
  ingest.rename(".a.tar.x", "a.tar", false, kAlice);
  BOOST_TEST(write(opened, "END") == 0);
  BOOST_TEST(flush(opened) == 0);
  BOOST_TEST(!opened.file->upload()->verdict()->publish);
}

BOOST_AUTO_TEST_CASE(what_is_written_anew_while_the_older_is_published_goes_by_the_new_name) {
  BOOST_TEST(copy(".a.tar.x", "END") == 0);
  const Ingest::Opened anew = ingest.create(".a.tar.x", 0644, 0, kAlice);
  while_publishing = [&] {
    BOOST_TEST(write(anew, "END") == 0);
    std::this_thread::sleep_for(std::chrono::milliseconds(50));  // its import would begin
  };
  ingest.rename(".a.tar.x", "a.tar", false, kAlice);
  BOOST_TEST(flush(anew) == 0);
  BOOST_TEST(!anew.file->upload()->verdict()->publish);
}

BOOST_AUTO_TEST_CASE(a_bad_archive_of_a_temporary_name_cannot_be_renamed) {
  BOOST_TEST(copy(".a.tar.x", "BAD") == EBADMSG);
  BOOST_TEST(errno_of([&] { ingest.rename(".a.tar.x", "a.tar", false, kAlice); }) == EBADMSG);
  BOOST_TEST(line("a.tar.error") == "BAD is in it\n");
  BOOST_TEST((ingest.lookup("a.tar") == nullptr));
}

BOOST_AUTO_TEST_CASE(a_publication_that_fails_fails_the_rename) {
  publication = {.errno_value = ENOSPC, .sentence = "the store is full"};
  BOOST_TEST(copy(".a.tar.x", "END") == 0);
  BOOST_TEST(errno_of([&] { ingest.rename(".a.tar.x", "a.tar", false, kAlice); }) == ENOSPC);
  BOOST_TEST(line("a.tar.error") == "the store is full\n");
}

BOOST_AUTO_TEST_CASE(a_temporary_name_that_still_arrives_cannot_be_published) {
  const Ingest::Opened opened = create(".a.tar.x");
  BOOST_TEST(write(opened, "half") == 0);
  BOOST_TEST(errno_of([&] { ingest.rename(".a.tar.x", "a.tar", false, kAlice); }) == EBUSY);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace imagefs::fs
