#include "fs/ingest.h"

#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "blobstore/error.h"
#include "tests/fs/fake_import.h"
#include "tests/fs/fake_pending.h"

namespace imagefs::fs {
namespace {

using std::chrono::milliseconds;
using test::Answer;

constexpr Caller kAlice{.uid = 1000, .gid = 1000, .pid = 10};
constexpr Caller kBob{.uid = 1001, .gid = 1001, .pid = 11};
constexpr Caller kRoot{.uid = 0, .gid = 0, .pid = 12};
constexpr uid_t kDaemon = 900;

struct Fixture {
  explicit Fixture(Ingest::Options options = {.uid = kDaemon, .gid = kDaemon, .max_imports = 2})
      : ingest(options, {.import = [this](const Ingest::Arrival& arrival,
                                          importer::BytePipe& pipe) { return run(arrival, pipe); },
                         .refuse = [this](const Ingest::Arrival& arrival,
                                          const Error&) { refused.push_back(arrival.file); }}) {}
  ~Fixture() { import.go(); }

  Verdict run(const Ingest::Arrival& arrival, importer::BytePipe& pipe) {
    Verdict verdict = import.run(pipe);
    if (verdict.errno_value == 0 && arrival.temporary) {
      verdict.publish = [this](const std::string& name) {
        published.push_back(name);
        return publication;
      };
    }
    return verdict;
  }
  static int write(const Ingest::Opened& opened, std::string_view text, std::uint64_t offset = 0) {
    Answer answer;
    opened.file->upload(opened.writer)
        ->write(std::as_bytes(std::span(text)), offset, answer.pending());
    return answer.wait();
  }
  static int flush(const Ingest::Opened& opened, bool by_opener = true) {
    Answer answer;
    opened.file->upload(opened.writer)->flush(by_opener, answer.pending());
    return answer.wait();
  }
  Ingest::Opened create(std::string_view name, const Caller& caller = kAlice) {
    return ingest.create(name, 0644, true, caller);
  }
  // What cp does; the errno of its close.
  int copy(std::string_view name, std::string_view text, const Caller& caller = kAlice) {
    const Ingest::Opened opened = ingest.create(name, 0644, false, caller);
    const int written = write(opened, text);
    const int closed = flush(opened);
    ingest.release(opened);
    return written != 0 ? written : closed;
  }
  [[nodiscard]] std::vector<std::string> listed() const {
    std::vector<std::string> names;
    ingest.directory()->list(0, [&](const ListedName& name) {
      names.emplace_back(name.name);
      return true;
    });
    return names;
  }
  [[nodiscard]] std::string line(std::string_view name) const {
    const NodePtr node = ingest.lookup(name);
    if (!node) return "absent";
    std::string text(1000, '\0');
    text.resize(node->open()->read(std::as_writable_bytes(std::span(text)), 0));
    return text;
  }

  test::FakeImport import;
  std::vector<std::string> refused;
  std::vector<std::string> published;
  Verdict publication;  // what comes of it
  Ingest ingest;
};

template <typename Call>
int errno_of(const Call& call) {
  try {
    call();
    return 0;
  } catch (const Error& error) {
    return error.errno_value();
  }
}

template <typename Condition>
bool comes_true(const Condition& condition) {
  const auto end = std::chrono::steady_clock::now() + test::kPatience;
  while (std::chrono::steady_clock::now() < end) {
    if (condition()) return true;
    std::this_thread::sleep_for(milliseconds(5));
  }
  return false;
}

using Names = std::vector<std::string>;

BOOST_FIXTURE_TEST_SUITE(ingest, Fixture)

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

BOOST_AUTO_TEST_CASE(a_refusal_says_why_until_a_good_archive_comes) {
  BOOST_TEST(copy("a.tar", "BAD") == EBADMSG);
  BOOST_TEST(listed() == Names{"a.tar.error"}, boost::test_tools::per_element());
  BOOST_TEST(line("a.tar.error") == "BAD is in it\n");
  BOOST_TEST(copy("a.tar", "END") == 0);
  BOOST_TEST(listed().empty());
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
  BOOST_TEST(opened.file->ended().has_value());
}

BOOST_AUTO_TEST_CASE(a_second_writer_is_busy) {
  const Ingest::Opened first = create("a.tar");
  BOOST_TEST(write(first, "half") == 0);
  BOOST_TEST(errno_of([&] { (void)ingest.open(first.file, kAlice); }) == EBUSY);
  BOOST_TEST(errno_of([&] { (void)ingest.create("a.tar", 0644, false, kAlice); }) == EBUSY);
  BOOST_TEST(errno_of([&] { (void)ingest.create("a.tar", 0644, true, kAlice); }) == EEXIST);
}

BOOST_AUTO_TEST_CASE(a_writer_that_has_closed_makes_way_before_its_release) {
  const Ingest::Opened first = create("a.tar");
  BOOST_TEST(write(first, "half") == 0);
  BOOST_TEST(flush(first) == ENODATA);
  const Ingest::Opened second = ingest.open(first.file, kAlice);
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
  BOOST_TEST(errno_of([&] { (void)ingest.open(first.file, kAlice); }) == EBUSY);
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

BOOST_AUTO_TEST_CASE(a_removed_file_is_cancelled_and_leaves_nothing) {
  const Ingest::Opened opened = create("a.tar");
  BOOST_TEST(write(opened, "half") == 0);
  ingest.unlink("a.tar", kAlice);
  BOOST_TEST((ingest.lookup("a.tar") == nullptr));
  BOOST_TEST(comes_true([&] { return write(opened, "END", 4) == ECANCELED; }));
  BOOST_TEST(listed().empty());
  BOOST_TEST(errno_of([&] { (void)ingest.open(opened.file, kAlice); }) == ESTALE);
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
  BOOST_TEST(errno_of([&] { ingest.open(opened.file, kBob); }) == EACCES);
  BOOST_TEST(errno_of([&] { ingest.unlink("a.tar", kRoot); }) == 0);
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

struct ShortGrace : Fixture {
  ShortGrace() : Fixture({.uid = kDaemon, .grace = milliseconds(1)}) {}
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

struct Idle : Fixture {
  Idle() : Fixture({.uid = kDaemon, .idle_timeout = std::chrono::seconds(1)}) {}
};

BOOST_FIXTURE_TEST_CASE(an_idle_import_is_given_up, Idle) {
  const Ingest::Opened opened = create("a.tar");
  BOOST_TEST(write(opened, "half") == 0);
  BOOST_TEST(comes_true([&] { return opened.file->upload()->is_settled(); }));
  BOOST_TEST(write(opened, "END", 4) == ETIMEDOUT);
}

BOOST_FIXTURE_TEST_CASE(a_killed_writers_request_is_let_go_of, Fixture) {
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
