// The layers of a rootfs/: their indexes, and what is decoded of them.
#include <sys/stat.h>
#include <zstd.h>

#include <array>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <random>
#include <thread>

#include "blobstore/error.h"
#include "fs/layer_cache.h"
#include "tests/fs/rootfs_fixture.h"
#include "tests/support/layer_writer.h"

namespace imagefs::fs {
namespace {

using namespace test;
using tests::LayerWriter;

bool is_io_error(const Error& error) { return error.errno_value() == EIO; }

BOOST_AUTO_TEST_CASE(an_index_that_is_missing_or_damaged_is_made_again) {
  RootfsFixture image({LayerWriter().file("f", "x").str()});
  BOOST_CHECK_EQUAL(image.read("f"), "x");
  const auto path = image.cache("index", 0);
  BOOST_REQUIRE(std::filesystem::exists(path));
  const auto size = std::filesystem::file_size(path);
  std::filesystem::resize_file(path, size - 1);
  image.open();
  BOOST_CHECK_EQUAL(image.read("f"), "x");
  BOOST_CHECK_EQUAL(std::filesystem::file_size(path), size);
  std::filesystem::remove_all(path.parent_path());
  image.open();
  BOOST_CHECK_EQUAL(image.read("f"), "x");
}

BOOST_AUTO_TEST_CASE(a_decoded_layer_is_kept_for_the_next_mount) {
  const std::string layer = LayerWriter().file("f", "content").str();
  RootfsFixture image({gzip(layer)});
  BOOST_CHECK_EQUAL(image.read("f"), "content");
  for (int tries = 0; tries < 3000 && !std::filesystem::exists(image.cache("layers", 0)); ++tries) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  BOOST_REQUIRE_EQUAL(std::filesystem::file_size(image.cache("layers", 0)), layer.size());
  image.open();
  BOOST_CHECK_EQUAL(image.read("f"), "content");
}

BOOST_AUTO_TEST_CASE(of_a_store_that_is_read_only_nothing_is_kept) {
  RootfsFixture image(
      {LayerWriter().file("a", "plain").str(), gzip(LayerWriter().file("b", "x").str())});
  image.open_read_only();
  BOOST_CHECK_EQUAL(image.read("a"), "plain");
  BOOST_CHECK_EQUAL(image.read("b"), "x");
  BOOST_CHECK(!std::filesystem::exists(image.cache("index", 0).parent_path().parent_path()));
}

BOOST_AUTO_TEST_CASE(a_decoded_layer_that_is_not_whole_is_not_believed) {
  RootfsFixture image({gzip(LayerWriter().file("f", "content").str())});
  std::filesystem::create_directories(image.cache("layers", 0).parent_path());
  std::ofstream(image.cache("layers", 0)) << "short";
  BOOST_CHECK_EQUAL(image.read("f"), "content");
}

BOOST_AUTO_TEST_CASE(a_layer_that_the_cache_cannot_hold_is_read_all_the_same) {
  RootfsFixture image({gzip(LayerWriter().file("f", "content").str())});
  image.open({.max_layer = 1 << 20, .max_decoded = 100});
  BOOST_CHECK_EQUAL(image.read("f"), "content");
}

BOOST_AUTO_TEST_CASE(a_layer_over_the_limit_has_no_rootfs) {
  RootfsFixture image({LayerWriter().file("f", std::string(5000, 'x')).str()});
  image.open({.max_layer = 4096});
  BOOST_CHECK_EXCEPTION(image.root()->await(endless), Error, is_io_error);
}

bool is_not_ready(const Error& error) { return error.errno_value() == EAGAIN; }

BOOST_AUTO_TEST_CASE(a_rootfs_without_an_index_has_no_attributes_yet) {
  const RootfsFixture image({LayerWriter().add({.type = '5', .name = "./", .mode = 0711}).str()});
  const NodePtr root = image.root();
  BOOST_CHECK(!root->ready());
  BOOST_CHECK(!root->await_is_short());
  BOOST_CHECK_EXCEPTION((void)root->attributes(), Error, is_not_ready);
  BOOST_CHECK(!std::filesystem::exists(image.cache("index", 0)));
  root->await(endless);
  BOOST_CHECK(root->ready());
  BOOST_CHECK_EQUAL(root->attributes().st_mode, S_IFDIR | 0711);
}

BOOST_AUTO_TEST_CASE(an_index_that_is_there_gives_the_attributes_at_once) {
  RootfsFixture image({LayerWriter().add({.type = '5', .name = "./", .mode = 0711}).str()});
  BOOST_CHECK(image.open_root()->lookup("x") == nullptr);
  image.open();
  BOOST_CHECK(image.root()->ready());
  BOOST_CHECK_EQUAL(image.root()->attributes().st_mode, S_IFDIR | 0711);
}

BOOST_AUTO_TEST_CASE(a_big_index_is_opened_by_those_alone_who_may_wait) {
  LayerWriter layer;
  layer.add({.type = '5', .name = "./", .mode = 0711});
  for (int i = 0; i < 20'000; ++i) layer.file("a file of many, number " + std::to_string(i), "");
  RootfsFixture image({layer.str()});
  static_cast<void>(image.open_root());
  BOOST_REQUIRE_GT(std::filesystem::file_size(image.cache("index", 0)), 1 << 20);
  image.open();
  const NodePtr root = image.root();
  BOOST_CHECK(!root->ready());
  BOOST_CHECK(root->await_is_short());
  root->await(endless);
  BOOST_CHECK(root->ready());
  BOOST_CHECK_EQUAL(root->attributes().st_mode, S_IFDIR | 0711);
}

BOOST_AUTO_TEST_CASE(a_layer_that_is_gone_or_no_tar_reads_as_an_error) {
  const RootfsFixture gone({LayerWriter().file("f", "x").str()});
  std::filesystem::remove(gone.blob(0));
  BOOST_CHECK_EXCEPTION(gone.root()->await(endless), Error, is_io_error);
  const RootfsFixture no_tar({std::string(2000, 'x')});
  for (int i = 0; i < 2; ++i) {
    BOOST_CHECK_EXCEPTION(no_tar.root()->await(endless), Error, is_io_error);
  }
}

BOOST_AUTO_TEST_CASE(many_threads_read_one_layer_while_it_is_decoded) {
  LayerWriter layer;
  for (int i = 0; i < 200; ++i) {
    layer.file("f" + std::to_string(i), std::string(10'000, static_cast<char>('a' + i % 26)));
  }
  const RootfsFixture image({gzip(layer.str())});
  std::vector<std::thread> threads;
  std::atomic<int> wrong = 0;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = t; i < 200; i += 3) {
        const std::string expected(10'000, static_cast<char>('a' + i % 26));
        const NodePtr file = image.find("f" + std::to_string(i));
        if (!file || RootfsFixture::bytes_of(*file) != expected) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  BOOST_CHECK_EQUAL(wrong, 0);
}

// While it lives, there is nowhere to put a temporary file.
class NoTemporaryDirectory {
 public:
  NoTemporaryDirectory() : before_(std::filesystem::temp_directory_path()) {
    ::setenv("TMPDIR", "/dev/null", 1);
  }
  NoTemporaryDirectory(const NoTemporaryDirectory&) = delete;
  NoTemporaryDirectory& operator=(const NoTemporaryDirectory&) = delete;
  ~NoTemporaryDirectory() { ::setenv("TMPDIR", before_.c_str(), 1); }

 private:
  const std::string before_;
};

BOOST_AUTO_TEST_CASE(a_failure_for_want_of_something_ends_with_the_want) {
  RootfsFixture image({gzip(LayerWriter().file("f", "content").str())});
  image.open_read_only();
  const ContentPtr content = image.get("f")->open();
  const auto is_want = [](const Error& error) { return error.errno_value() == ENOTDIR; };
  for (int i = 0; i < 2; ++i) {
    const NoTemporaryDirectory want;
    BOOST_CHECK_EXCEPTION(content->await(0, 7, endless), Error, is_want);
    BOOST_CHECK(!content->ready(0, 7));
  }
  BOOST_CHECK_NO_THROW(content->await(0, 7, endless));
  BOOST_CHECK_EQUAL(image.read("f"), "content");
}

BOOST_AUTO_TEST_CASE(a_read_after_a_failure_says_why) {
  RootfsFixture image({gzip(LayerWriter().file("f", "content").str())});
  image.open_read_only();
  const ContentPtr content = image.get("f")->open();
  const NoTemporaryDirectory want;
  const auto is_want = [](const Error& error) { return error.errno_value() == ENOTDIR; };
  BOOST_CHECK_EXCEPTION(content->await(0, 7, endless), Error, is_want);
  std::array<std::byte, 7> bytes{};
  BOOST_CHECK_EXCEPTION(static_cast<void>(content->read(bytes, 0)), Error, is_want);
}

BOOST_AUTO_TEST_CASE(what_would_have_to_be_decoded_again_is_not_released) {
  RootfsFixture image({gzip(LayerWriter().file("f", "content").str())});
  static_cast<void>(image.open_root());  // indexed
  image.open_read_only();
  BOOST_TEST(image.read("f") == "content");
  std::filesystem::remove(image.blob(0));
  image.release();
  BOOST_TEST(image.read("f") == "content");
}

BOOST_AUTO_TEST_CASE(a_disk_that_is_full_enough_gets_no_decoded_layer_and_keeps_none) {
  RootfsFixture image({gzip(LayerWriter().file("f", "content").str())});
  static_cast<void>(image.open_root());  // indexed
  const std::filesystem::path layers = image.cache("layers", 0).parent_path();
  std::filesystem::create_directories(layers);
  std::ofstream(layers / "old") << "decoded earlier";
  image.open({.min_free = std::numeric_limits<std::uint64_t>::max()});
  const auto is_full = [](const Error& error) { return error.errno_value() == ENOSPC; };
  BOOST_CHECK_EXCEPTION(static_cast<void>(image.read("f")), Error, is_full);
  BOOST_CHECK(std::filesystem::is_empty(layers));
}

BOOST_AUTO_TEST_CASE(a_disk_that_is_full_enough_gets_no_index) {
  RootfsFixture image({LayerWriter().file("f", "content").str()});
  image.open({.min_free = std::numeric_limits<std::uint64_t>::max()});
  const auto is_full = [](const Error& error) { return error.errno_value() == ENOSPC; };
  BOOST_CHECK_EXCEPTION(image.root()->await(endless), Error, is_full);
  BOOST_CHECK(std::filesystem::is_empty(image.cache("index", 0).parent_path()));
}

BOOST_AUTO_TEST_CASE(damage_in_a_layer_stays) {
  const RootfsFixture image({gzip(LayerWriter().file("f", std::string(1 << 20, 'x')).str())});
  const ContentPtr content = image.get("f")->open();
  std::filesystem::permissions(image.blob(0), std::filesystem::perms::owner_all);
  std::filesystem::resize_file(image.blob(0), std::filesystem::file_size(image.blob(0)) - 100);
  for (int i = 0; i < 2; ++i) {
    BOOST_CHECK_EXCEPTION(content->await(0, 1 << 20, endless), Error, is_io_error);
  }
}

void flip_a_byte(const std::filesystem::path& file, std::streamoff offset) {
  std::filesystem::permissions(file, std::filesystem::perms::owner_all);
  std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
  const auto byte = static_cast<char>(stream.seekg(offset).get() ^ 1);
  stream.seekp(offset).put(byte);
}

// Checksums come at the end, and some formats have none: no file is given before.
BOOST_AUTO_TEST_CASE(of_a_damaged_layer_no_byte_is_given) {
  std::mt19937 random(1);
  std::string noise(300'000, '\0');
  for (char& c : noise) c = static_cast<char>(random());
  const std::string layer = LayerWriter().file("first", noise).file("last", noise).str();
  std::string unchecked(ZSTD_compressBound(layer.size()), '\0');
  unchecked.resize(
      ZSTD_compress(unchecked.data(), unchecked.size(), layer.data(), layer.size(), 1));
  for (const std::string& stored : {gzip(layer), unchecked}) {
    RootfsFixture image({stored});
    static_cast<void>(image.open_root());  // indexed
    flip_a_byte(image.blob(0), 200'000);
    for (int i = 0; i < 2; ++i) {
      for (const char* name : {"first", "last"}) {
        const ContentPtr content = image.get(name)->open();
        BOOST_CHECK_EXCEPTION(content->await(0, 10, endless), Error, is_io_error);
        std::array<std::byte, 10> bytes{};
        BOOST_CHECK_EXCEPTION(static_cast<void>(content->read(bytes, 0)), Error, is_io_error);
      }
    }
    BOOST_CHECK(!std::filesystem::exists(image.cache("layers", 0)));
  }
}

BOOST_AUTO_TEST_CASE(what_is_not_there_yet_is_neither_given_nor_waited_for) {
  const RootfsFixture image({gzip(LayerWriter().file("f", "content").str())});
  const auto is_not_there = [](const Error& error) { return error.errno_value() == EAGAIN; };
  const NodePtr root = image.root();
  BOOST_CHECK(!root->ready());
  BOOST_CHECK_EXCEPTION(static_cast<void>(root->lookup("f")), Error, is_not_there);
  root->await(endless);
  BOOST_CHECK(root->ready());
  const ContentPtr content = root->lookup("f")->open();
  std::array<std::byte, 7> bytes{};
  BOOST_CHECK(!content->ready(0, 7));
  BOOST_CHECK(content->ready(7, 1));
  BOOST_CHECK_EXCEPTION(static_cast<void>(content->read(bytes, 0)), Error, is_not_there);
  content->await(0, 7, endless);
  BOOST_CHECK(content->ready(0, 7));
  BOOST_CHECK_EQUAL(content->read(bytes, 0), 7);
}

}  // namespace
}  // namespace imagefs::fs
