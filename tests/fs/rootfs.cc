#include "fs/rootfs.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <zlib.h>

#include <array>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <thread>

#include "blobstore/error.h"
#include "importer/layer_path.h"
#include "tests/support/layer_writer.h"
#include "tests/support/temporary_directory.h"

namespace imagefs::fs {
namespace {

using blobstore::Descriptor;
using blobstore::Store;
using tests::LayerWriter;

std::string gzip(const std::string& bytes) {
  z_stream stream{};
  BOOST_REQUIRE_EQUAL(deflateInit2(&stream, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string result(deflateBound(&stream, bytes.size()), '\0');
  std::string input = bytes;
  stream.next_in = reinterpret_cast<Bytef*>(input.data());
  stream.avail_in = static_cast<uInt>(input.size());
  stream.next_out = reinterpret_cast<Bytef*>(result.data());
  stream.avail_out = static_cast<uInt>(result.size());
  BOOST_REQUIRE_EQUAL(deflate(&stream, Z_FINISH), Z_STREAM_END);
  result.resize(stream.total_out);
  deflateEnd(&stream);
  return result;
}

const Patience endless = [] {};

// A store with one image, and its rootfs/.
class Fixture {
 public:
  explicit Fixture(const std::vector<std::string>& layers)
      : store_(Store::open(directory_.path(), Store::Access::read_write)) {
    auto manifest = std::make_shared<blobstore::Manifest>(
        blobstore::Manifest{.media_type = blobstore::media_type::kDockerManifest,
                            .config = descriptor("config"),
                            .layers = {},
                            .subject = {},
                            .artifact_type = {}});
    manifest->config.media_type = blobstore::media_type::kDockerConfig;
    for (const std::string& layer : layers) {
      manifest->layers.push_back(descriptor(layer));
      put(layer);
    }
    manifest_ = std::move(manifest);
    open();
  }

  // As a new mount would.
  void open(const LayerCache::Limits& limits = {}) {
    layers_ = std::make_shared<LayerCache>(store_, limits);
    child_ = rootfs_child(layers_);
  }

  // As a mount does when images are gone.
  void release() const { layers_->release(); }

  void open_read_only() {
    store_ = Store::open(directory_.path(), Store::Access::read_only);
    open();
  }

  [[nodiscard]] NodePtr root(const std::string& path = "images/docker.io/library/x:1") const {
    return child_.make({.store = store_,
                        .owner = {},
                        .path = path,
                        .name = {},
                        .descriptor = descriptor("manifest"),
                        .manifest_descriptor = descriptor("manifest"),
                        .manifest = manifest_,
                        .imported = {}});
  }
  // Indexed.
  [[nodiscard]] NodePtr open_root(const std::string& path = "images/docker.io/library/x:1") const {
    NodePtr node = root(path);
    node->await(endless);
    return node;
  }
  [[nodiscard]] NodePtr find(std::string_view path) const {
    NodePtr node = open_root();
    const importer::LayerPath clean = importer::clean_path(path);
    for (const std::string_view name : clean.components) {
      node = node ? node->lookup(name) : nullptr;
    }
    return node;
  }
  [[nodiscard]] NodePtr get(std::string_view path) const {
    NodePtr node = find(path);
    BOOST_REQUIRE_MESSAGE(node, "no " << path);
    return node;
  }
  [[nodiscard]] std::string read(std::string_view path) const { return bytes_of(*get(path)); }
  // Without Boost.Test's macros, which are for one thread.
  [[nodiscard]] static std::string bytes_of(const Node& file) {
    const ContentPtr content = file.open();
    std::string bytes(content->size() + 10, '?');
    content->await(0, bytes.size(), endless);
    bytes.resize(content->read(std::as_writable_bytes(std::span(bytes)), 0));
    return bytes;
  }
  [[nodiscard]] std::filesystem::path cache(const std::string& kind, std::size_t layer) const {
    return directory_.path() / "cache" / kind / manifest_->layers[layer].digest.hex();
  }
  [[nodiscard]] std::filesystem::path blob(std::size_t layer) const {
    return directory_.path() / "blobs" / "sha256" / manifest_->layers[layer].digest.hex();
  }

 private:
  static Descriptor descriptor(const std::string& bytes) {
    return {.media_type = "", .digest = blobstore::sha256(bytes), .size = bytes.size()};
  }
  void put(const std::string& bytes) {
    blobstore::Writer writer = store_->write_blob();
    writer.append(std::as_bytes(std::span(bytes)));
    const blobstore::HeldBlob blob = writer.finish();
    store_->commit({&blob}, [](blobstore::Index&) {});
  }

  tests::TemporaryDirectory directory_;
  std::shared_ptr<Store> store_;
  std::shared_ptr<const blobstore::Manifest> manifest_;
  std::shared_ptr<LayerCache> layers_;
  ImageChild child_;
};

struct Name {
  std::string name;
  NodeId id;
  mode_t type;
};

std::vector<Name> list(const Node& directory) {
  std::vector<Name> names;
  directory.list(0, [&](const ListedName& listed) {
    names.push_back({std::string(listed.name), listed.id, listed.type});
    return true;
  });
  return names;
}

bool is_io_error(const Error& error) { return error.errno_value() == EIO; }

BOOST_AUTO_TEST_CASE(files_of_plain_and_compressed_layers_are_read) {
  const std::string big(300'000, 'b');
  const std::string lower = LayerWriter().file("a", "plain").file("both", "lower").str();
  const std::string upper = LayerWriter().file("big", big).file("both", "upper!").str();
  const Fixture image({lower, gzip(upper)});
  BOOST_CHECK_EQUAL(image.read("a"), "plain");
  BOOST_CHECK_EQUAL(image.read("both"), "upper!");
  BOOST_CHECK(image.read("big") == big);
}

BOOST_AUTO_TEST_CASE(attributes_are_those_of_the_entry) {
  const Fixture image({LayerWriter()
                           .add({.name = "f",
                                 .data = std::string(1000, 'd'),
                                 .mode = 04755,
                                 .uid = 12,
                                 .gid = 34,
                                 .pax = {{"mtime", "1700000000.5"}}})
                           .symlink("s", "../target")
                           .add({.type = '4', .name = "disk", .mode = 0660, .major = 8, .minor = 1})
                           .add({.type = '6', .name = "pipe"})
                           .str()});
  const struct stat st = image.get("f")->attributes();
  BOOST_CHECK_EQUAL(st.st_mode, S_IFREG | 04755);
  BOOST_CHECK_EQUAL(st.st_uid, 12);
  BOOST_CHECK_EQUAL(st.st_gid, 34);
  BOOST_CHECK_EQUAL(st.st_size, 1000);
  BOOST_CHECK_EQUAL(st.st_blocks, 2);
  BOOST_CHECK_EQUAL(st.st_nlink, 1);
  BOOST_CHECK_EQUAL(st.st_mtim.tv_sec, 1'700'000'000);
  BOOST_CHECK_EQUAL(st.st_mtim.tv_nsec, 500'000'000);
  BOOST_CHECK_EQUAL(image.get("s")->target(), "../target");
  BOOST_CHECK_EQUAL(image.get("s")->attributes().st_size, 9);
  BOOST_CHECK_EQUAL(image.get("disk")->attributes().st_mode, S_IFBLK | 0660);
  BOOST_CHECK_EQUAL(image.get("disk")->attributes().st_rdev, makedev(8, 1));
  BOOST_CHECK_EQUAL(image.get("pipe")->attributes().st_mode & S_IFMT, S_IFIFO);
  BOOST_CHECK_THROW(static_cast<void>(image.get("disk")->open()), Error);
}

BOOST_AUTO_TEST_CASE(directories_count_their_subdirectories) {
  const Fixture image({LayerWriter().directory("d", 01777).file("d/a/x", "").file("d/b", "").str(),
                       LayerWriter().file("d/c/y", "").file("d/.wh.b", "").str()});
  const struct stat st = image.get("d")->attributes();
  BOOST_CHECK_EQUAL(st.st_mode, S_IFDIR | 01777);
  BOOST_CHECK_EQUAL(st.st_nlink, 4);
  BOOST_CHECK_EQUAL(image.get("d/a")->attributes().st_mode, S_IFDIR | 0755);
  BOOST_CHECK_EQUAL(image.open_root()->attributes().st_nlink, 3);
}

BOOST_AUTO_TEST_CASE(what_is_listed_has_the_id_and_type_that_a_lookup_gives) {
  const Fixture image({LayerWriter().file("d/f", "x").link("l", "d/f").symlink("s", "x").str(),
                       LayerWriter().link("m", "d/f").str()});
  const NodePtr root = image.open_root();
  const auto names = list(*root);
  BOOST_REQUIRE_EQUAL(names.size(), 4);
  for (const Name& name : names) {
    const NodePtr node = root->lookup(name.name);
    BOOST_REQUIRE(node);
    BOOST_CHECK_EQUAL(node->id(), name.id);
    BOOST_CHECK_EQUAL(node->attributes().st_ino, name.id);
    BOOST_CHECK_EQUAL(node->attributes().st_mode & S_IFMT, name.type);
  }
  BOOST_CHECK_EQUAL(image.get("l")->id(), image.get("d/f")->id());
  BOOST_CHECK_EQUAL(image.get("m")->id(), image.get("d/f")->id());
  BOOST_CHECK_EQUAL(image.get("m")->attributes().st_nlink, 3);
}

BOOST_AUTO_TEST_CASE(ids_survive_a_restart_and_differ_between_paths) {
  Fixture image({LayerWriter().file("d/f", "x").str()});
  const NodeId file = image.get("d/f")->id();
  const NodeId directory = image.get("d")->id();
  image.open();
  BOOST_CHECK_EQUAL(image.get("d/f")->id(), file);
  BOOST_CHECK_EQUAL(image.get("d")->id(), directory);
  const NodePtr elsewhere = image.open_root("images/docker.io/library/y:1");
  BOOST_CHECK_NE(elsewhere->id(), image.root()->id());
  BOOST_CHECK_NE(elsewhere->lookup("d")->id(), directory);
}

BOOST_AUTO_TEST_CASE(sparse_files_read_as_zeros_between_their_data) {
  const Fixture image({LayerWriter()
                           .add({.name = "s",
                                 .data = "abcde",
                                 .pax = {{"GNU.sparse.size", "5000"},
                                         {"GNU.sparse.numblocks", "3"},
                                         {"GNU.sparse.map", "10,2,4000,3,5000,0"}}})
                           .str()});
  std::string expected(5000, '\0');
  expected.replace(10, 2, "ab");
  expected.replace(4000, 3, "cde");
  BOOST_CHECK(image.read("s") == expected);
  BOOST_CHECK_EQUAL(image.get("s")->attributes().st_size, 5000);
  BOOST_CHECK_EQUAL(image.get("s")->attributes().st_blocks, 1);
  const ContentPtr content = image.get("s")->open();
  for (std::size_t offset = 0; offset < 5000; offset += 3) {
    std::array<char, 7> piece{};
    const std::size_t count = content->read(std::as_writable_bytes(std::span(piece)), offset);
    BOOST_CHECK_EQUAL(std::string(piece.data(), count), expected.substr(offset, 7));
  }
}

BOOST_AUTO_TEST_CASE(extended_attributes_are_shown) {
  const Fixture image({LayerWriter()
                           .add({.name = "f", .pax = {{"SCHILY.xattr.user.a", "1"}}})
                           .add({.type = '5', .name = "d/", .pax = {{"SCHILY.xattr.user.b", "2"}}})
                           .str()});
  BOOST_CHECK_EQUAL(image.get("f")->xattr("user.a").value(), "1");
  BOOST_CHECK(!image.get("f")->xattr("user.b"));
  BOOST_CHECK_EQUAL(image.get("d")->xattr_names().size(), 1);
  BOOST_CHECK_EQUAL(image.get("d")->xattr("user.b").value(), "2");
  BOOST_CHECK(image.open_root()->xattr_names().empty());
}

BOOST_AUTO_TEST_CASE(an_image_without_layers_has_an_empty_rootfs) {
  const Fixture image({});
  BOOST_CHECK(list(*image.open_root()).empty());
  BOOST_CHECK_EQUAL(image.root()->attributes().st_mode, S_IFDIR | 0755);
}

BOOST_AUTO_TEST_CASE(an_index_that_is_missing_or_damaged_is_made_again) {
  Fixture image({LayerWriter().file("f", "x").str()});
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
  Fixture image({gzip(layer)});
  BOOST_CHECK_EQUAL(image.read("f"), "content");
  for (int tries = 0; tries < 3000 && !std::filesystem::exists(image.cache("layers", 0)); ++tries) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  BOOST_REQUIRE_EQUAL(std::filesystem::file_size(image.cache("layers", 0)), layer.size());
  image.open();
  BOOST_CHECK_EQUAL(image.read("f"), "content");
}

BOOST_AUTO_TEST_CASE(of_a_store_that_is_read_only_nothing_is_kept) {
  Fixture image({LayerWriter().file("a", "plain").str(), gzip(LayerWriter().file("b", "x").str())});
  image.open_read_only();
  BOOST_CHECK_EQUAL(image.read("a"), "plain");
  BOOST_CHECK_EQUAL(image.read("b"), "x");
  BOOST_CHECK(!std::filesystem::exists(image.cache("index", 0).parent_path().parent_path()));
}

BOOST_AUTO_TEST_CASE(a_decoded_layer_that_is_not_whole_is_not_believed) {
  Fixture image({gzip(LayerWriter().file("f", "content").str())});
  std::filesystem::create_directories(image.cache("layers", 0).parent_path());
  std::ofstream(image.cache("layers", 0)) << "short";
  BOOST_CHECK_EQUAL(image.read("f"), "content");
}

BOOST_AUTO_TEST_CASE(a_layer_that_the_cache_cannot_hold_is_read_all_the_same) {
  Fixture image({gzip(LayerWriter().file("f", "content").str())});
  image.open({.max_layer = 1 << 20, .max_decoded = 100});
  BOOST_CHECK_EQUAL(image.read("f"), "content");
}

BOOST_AUTO_TEST_CASE(a_layer_over_the_limit_has_no_rootfs) {
  Fixture image({LayerWriter().file("f", std::string(5000, 'x')).str()});
  image.open({.max_layer = 4096});
  BOOST_CHECK_EXCEPTION(image.root()->await(endless), Error, is_io_error);
}

BOOST_AUTO_TEST_CASE(attributes_of_rootfs_are_a_guess_until_its_layers_are_indexed) {
  const Fixture image({LayerWriter().add({.type = '5', .name = "./", .mode = 0711}).str()});
  BOOST_CHECK(image.root()->lifetime() == Lifetime::volatile_);
  BOOST_CHECK_EQUAL(image.root()->attributes().st_mode, S_IFDIR | 0755);
  BOOST_CHECK(!std::filesystem::exists(image.cache("index", 0)));
  BOOST_CHECK(image.open_root()->lookup("x") == nullptr);
  BOOST_CHECK(image.root()->lifetime() == Lifetime::fixed);
  BOOST_CHECK_EQUAL(image.root()->attributes().st_mode, S_IFDIR | 0711);
}

BOOST_AUTO_TEST_CASE(an_index_that_is_there_gives_the_attributes_at_once) {
  Fixture image({LayerWriter().add({.type = '5', .name = "./", .mode = 0711}).str()});
  BOOST_CHECK(image.open_root()->lookup("x") == nullptr);
  image.open();
  BOOST_CHECK_EQUAL(image.root()->attributes().st_mode, S_IFDIR | 0711);
  BOOST_CHECK(image.root()->lifetime() == Lifetime::fixed);
}

BOOST_AUTO_TEST_CASE(a_big_index_is_opened_by_those_alone_who_may_wait) {
  LayerWriter layer;
  layer.add({.type = '5', .name = "./", .mode = 0711});
  for (int i = 0; i < 20'000; ++i) layer.file("a file of many, number " + std::to_string(i), "");
  Fixture image({layer.str()});
  BOOST_CHECK(image.root()->attributes_ready());  // a guess
  static_cast<void>(image.open_root());
  BOOST_REQUIRE_GT(std::filesystem::file_size(image.cache("index", 0)), 1 << 20);
  image.open();
  const NodePtr root = image.root();
  BOOST_CHECK(!root->ready());
  BOOST_CHECK(!root->attributes_ready());
  BOOST_CHECK_EQUAL(root->attributes().st_mode, S_IFDIR | 0755);
  BOOST_CHECK(root->lifetime() == Lifetime::volatile_);
  root->prepare_attributes();
  BOOST_CHECK(root->ready());
  BOOST_CHECK(root->attributes_ready());
  BOOST_CHECK_EQUAL(root->attributes().st_mode, S_IFDIR | 0711);
}

BOOST_AUTO_TEST_CASE(a_layer_that_is_gone_or_no_tar_reads_as_an_error) {
  const Fixture gone({LayerWriter().file("f", "x").str()});
  std::filesystem::remove(gone.blob(0));
  BOOST_CHECK_EXCEPTION(gone.root()->await(endless), Error, is_io_error);
  const Fixture no_tar({std::string(2000, 'x')});
  for (int i = 0; i < 2; ++i) {
    BOOST_CHECK_EXCEPTION(no_tar.root()->await(endless), Error, is_io_error);
  }
}

BOOST_AUTO_TEST_CASE(many_threads_read_one_layer_while_it_is_decoded) {
  LayerWriter layer;
  for (int i = 0; i < 200; ++i) {
    layer.file("f" + std::to_string(i), std::string(10'000, static_cast<char>('a' + i % 26)));
  }
  const Fixture image({gzip(layer.str())});
  std::vector<std::thread> threads;
  std::atomic<int> wrong = 0;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = t; i < 200; i += 3) {
        const std::string expected(10'000, static_cast<char>('a' + i % 26));
        const NodePtr file = image.find("f" + std::to_string(i));
        if (!file || Fixture::bytes_of(*file) != expected) ++wrong;
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
  Fixture image({gzip(LayerWriter().file("f", "content").str())});
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
  Fixture image({gzip(LayerWriter().file("f", "content").str())});
  image.open_read_only();
  const ContentPtr content = image.get("f")->open();
  const NoTemporaryDirectory want;
  const auto is_want = [](const Error& error) { return error.errno_value() == ENOTDIR; };
  BOOST_CHECK_EXCEPTION(content->await(0, 7, endless), Error, is_want);
  std::array<std::byte, 7> bytes{};
  BOOST_CHECK_EXCEPTION(static_cast<void>(content->read(bytes, 0)), Error, is_want);
}

BOOST_AUTO_TEST_CASE(what_would_have_to_be_decoded_again_is_not_released) {
  Fixture image({gzip(LayerWriter().file("f", "content").str())});
  static_cast<void>(image.open_root());  // indexed
  image.open_read_only();
  BOOST_TEST(image.read("f") == "content");
  std::filesystem::remove(image.blob(0));
  image.release();
  BOOST_TEST(image.read("f") == "content");
}

BOOST_AUTO_TEST_CASE(a_disk_that_is_full_enough_gets_no_decoded_layer_and_keeps_none) {
  Fixture image({gzip(LayerWriter().file("f", "content").str())});
  static_cast<void>(image.open_root());  // indexed
  const std::filesystem::path layers = image.cache("layers", 0).parent_path();
  std::filesystem::create_directories(layers);
  std::ofstream(layers / "old") << "decoded earlier";
  image.open({.min_free = std::numeric_limits<std::uint64_t>::max()});
  const auto is_full = [](const Error& error) { return error.errno_value() == ENOSPC; };
  BOOST_CHECK_EXCEPTION(image.read("f"), Error, is_full);
  BOOST_CHECK(std::filesystem::is_empty(layers));
}

BOOST_AUTO_TEST_CASE(a_disk_that_is_full_enough_gets_no_index) {
  Fixture image({LayerWriter().file("f", "content").str()});
  image.open({.min_free = std::numeric_limits<std::uint64_t>::max()});
  const auto is_full = [](const Error& error) { return error.errno_value() == ENOSPC; };
  BOOST_CHECK_EXCEPTION(image.root()->await(endless), Error, is_full);
  BOOST_CHECK(std::filesystem::is_empty(image.cache("index", 0).parent_path()));
}

BOOST_AUTO_TEST_CASE(damage_in_a_layer_stays) {
  const Fixture image({gzip(LayerWriter().file("f", std::string(1 << 20, 'x')).str())});
  const ContentPtr content = image.get("f")->open();
  std::filesystem::permissions(image.blob(0), std::filesystem::perms::owner_all);
  std::filesystem::resize_file(image.blob(0), std::filesystem::file_size(image.blob(0)) - 100);
  for (int i = 0; i < 2; ++i) {
    BOOST_CHECK_EXCEPTION(content->await(0, 1 << 20, endless), Error, is_io_error);
  }
}

BOOST_AUTO_TEST_CASE(what_is_not_there_yet_is_neither_given_nor_waited_for) {
  const Fixture image({gzip(LayerWriter().file("f", "content").str())});
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
