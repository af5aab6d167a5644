#include "fs/drop_directory.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <fstream>
#include <future>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "blobstore/error.h"
#include "tests/support/temporary_directory.h"

using imagefs::Error;
using imagefs::UniqueFd;
using imagefs::fs::DropDirectory;
using imagefs::fs::Verdict;
namespace importer = imagefs::importer;

namespace {

constexpr std::chrono::seconds kPatience{60};

// A directory, a store beside it, and an import that only takes down what it gets: bytes that begin
// with "bad" are refused.
class Fixture {
 public:
  Fixture() : store_(::open(store_path_.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {}

  DropDirectory watch() {
    return {drops_.path(), store_.get(),
            [this](const std::string& file, uid_t /*user*/, importer::ByteSource& source) {
              return import(file, source);
            }};
  }
  void put(const std::string& name, const std::string& bytes) {
    std::ofstream(drops_.path() / name) << bytes;
  }
  std::filesystem::path path(const std::string& name) const { return drops_.path() / name; }

  int store() const { return store_.get(); }

  // Waits until so many archives were seen; all of them, in order.
  std::vector<std::string> seen(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kPatience, [&] { return seen_.size() >= count; });
    return seen_;
  }

 private:
  Verdict import(const std::string& file, importer::ByteSource& source) {
    std::string bytes;
    try {
      for (auto part = source.next(); !part.empty(); part = source.next())
        bytes.append(reinterpret_cast<const char*>(part.data()), part.size());
    } catch (const Error& error) {
      return {error.errno_value(), error.sentence()};
    }
    const std::lock_guard lock(mutex_);
    seen_.push_back(file + "=" + bytes);
    changed_.notify_all();
    return bytes.starts_with("bad") ? Verdict{EINVAL, "no image archive"} : Verdict{};
  }

  imagefs::tests::TemporaryDirectory drops_;
  imagefs::tests::TemporaryDirectory store_path_;
  UniqueFd store_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> seen_;
};

template <typename Condition>
bool eventually(const Condition& condition) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return true;
}

void set_time(const std::filesystem::path& path, std::time_t seconds) {
  const timespec times[2] = {{.tv_sec = seconds, .tv_nsec = 0}, {.tv_sec = seconds, .tv_nsec = 0}};
  BOOST_REQUIRE_EQUAL(::utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
}

// Whether check() throws, and what.
bool is_refused(importer::ByteSource& source, Verdict& verdict) {
  try {
    source.check();
    return false;
  } catch (const Error& error) {
    verdict = {error.errno_value(), error.sentence()};
    return true;
  }
}

using Seen = std::vector<std::string>;

}  // namespace

BOOST_FIXTURE_TEST_CASE(what_lies_there_is_imported_oldest_first, Fixture) {
  put("b.tar", "old");
  put("a.tar", "new");
  put("c.tar", "same time as a");
  set_time(path("b.tar"), 1000);
  set_time(path("a.tar"), 2000);
  set_time(path("c.tar"), 2000);
  const auto drop = watch();
  BOOST_TEST(seen(3) == (Seen{"b.tar=old", "a.tar=new", "c.tar=same time as a"}),
             boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(what_lands_later_is_imported_when_it_is_closed, Fixture) {
  const auto drop = watch();
  std::ofstream growing(path("later.tar"));
  growing << "half, " << std::flush;
  put("other.tar", "whole");
  BOOST_TEST(seen(1) == Seen{"other.tar=whole"}, boost::test_tools::per_element());
  growing << "whole" << std::flush;
  growing.close();
  BOOST_TEST(seen(2).back() == "later.tar=half, whole");
}

BOOST_FIXTURE_TEST_CASE(a_file_that_is_still_written_at_the_start_waits, Fixture) {
  std::ofstream growing(path("growing.tar"));
  growing << "half, " << std::flush;
  put("other.tar", "whole");
  const auto drop = watch();
  BOOST_TEST(seen(1) == Seen{"other.tar=whole"}, boost::test_tools::per_element());
  growing << "whole" << std::flush;
  growing.close();
  BOOST_TEST(seen(2).back() == "growing.tar=half, whole");
}

BOOST_FIXTURE_TEST_CASE(what_was_judged_is_not_read_again_whatever_its_name, Fixture) {
  put("one.tar", "1");
  put("bad.tar", "bad");
  {
    const auto drop = watch();
    seen(2);
    BOOST_TEST(eventually([&] { return std::filesystem::exists(path("bad.tar.error")); }));
  }
  std::filesystem::rename(path("one.tar"), path("renamed.tar"));
  put("two.tar", "2");
  const auto drop = watch();
  BOOST_TEST(seen(3).back() == "two.tar=2");
  BOOST_TEST(seen(3).size() == 3U);
}

BOOST_FIXTURE_TEST_CASE(a_refused_file_has_a_reason_beside_it_until_a_good_one_comes, Fixture) {
  const auto drop = watch();
  put("x.tar", "bad");
  BOOST_TEST(eventually([&] { return std::filesystem::exists(path("x.tar.error")); }));
  std::ifstream reason(path("x.tar.error"));
  std::string line;
  std::getline(reason, line);
  BOOST_TEST(line == "no image archive");
  put("x.tar", "good");
  BOOST_TEST(eventually([&] { return !std::filesystem::exists(path("x.tar.error")); }));
  BOOST_TEST(seen(2).back() == "x.tar=good");
}

BOOST_FIXTURE_TEST_CASE(what_is_no_regular_file_is_left_alone, Fixture) {
  put("target", "bytes of a target");
  std::filesystem::rename(path("target"), path(".target"));
  std::filesystem::create_symlink(".target", path("link.tar"));
  std::filesystem::create_directory(path("directory.tar"));
  BOOST_REQUIRE_EQUAL(::mkfifo(path("fifo.tar").c_str(), 0600), 0);
  put("note.error", "a reason");
  put("real.tar", "real");
  const auto drop = watch();
  BOOST_TEST(seen(1) == Seen{"real.tar=real"}, boost::test_tools::per_element());
  put("last.tar", "last");
  BOOST_TEST(seen(2) == (Seen{"real.tar=real", "last.tar=last"}), boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(an_import_that_waits_for_something_else_ends_with_it, Fixture) {
  put("x.tar", "x");
  std::promise<void> begun;
  Verdict verdict;
  {
    const DropDirectory drop(path(""), store(), [&](const auto&, auto, auto& source) {
      begun.set_value();
      const bool thrown = eventually([&] { return is_refused(source, verdict); });
      return thrown ? verdict : Verdict{};
    });
    begun.get_future().wait();
  }
  BOOST_TEST(verdict.errno_value == ECANCELED);
}

BOOST_FIXTURE_TEST_CASE(ten_thousand_files_are_each_imported_once, Fixture) {
  constexpr std::size_t count = 10'000;
  for (std::size_t i = 0; i < count; ++i) put(std::to_string(i) + ".tar", "x");
  const auto drop = watch();
  BOOST_TEST(seen(count).size() == count);
}
