// What the kernel is told at INIT, at a lookup, a read and a listing.
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/fs/protocol_fixture.h"
#include "tests/support/layer_writer.h"

namespace imagefs::fs::test {
namespace {

using imagefs::tests::LayerWriter;

constexpr auto kImage = "images/docker.io/library/busybox:1.36";
constexpr std::chrono::nanoseconds kForever = std::chrono::seconds(1'000'000'000);
constexpr std::chrono::nanoseconds kNoTime{0};
// But for FUSE_PARALLEL_DIROPS, which libfuse 3.14 is asked for and does not tell the kernel.
constexpr std::uint32_t kWanted = FUSE_ATOMIC_O_TRUNC | FUSE_DO_READDIRPLUS |
                                  FUSE_READDIRPLUS_AUTO | FUSE_CACHE_SYMLINKS | FUSE_ASYNC_READ |
                                  FUSE_AUTO_INVAL_DATA;
// Each would make a kernel do what this filesystem is not made for.
constexpr std::uint32_t kUnwanted = FUSE_WRITEBACK_CACHE | FUSE_POSIX_ACL | FUSE_POSIX_LOCKS |
                                    FUSE_FLOCK_LOCKS | FUSE_EXPORT_SUPPORT | FUSE_SPLICE_READ |
                                    FUSE_SPLICE_WRITE | FUSE_SPLICE_MOVE | FUSE_HANDLE_KILLPRIV;

std::string path_of(const std::string& name) { return std::string(kImage) + "/" + name; }

Bytes file_bytes(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::chrono::nanoseconds time_of(std::uint64_t seconds, std::uint32_t nanoseconds) {
  return std::chrono::seconds(seconds) + std::chrono::nanoseconds(nanoseconds);
}

struct Timeouts {
  std::chrono::nanoseconds entry;
  std::chrono::nanoseconds attributes;
};
Timeouts timeouts_of(const Reply& reply) {
  const auto entry = reply.as<fuse_entry_out>();
  return {.entry = time_of(entry.entry_valid, entry.entry_valid_nsec),
          .attributes = time_of(entry.attr_valid, entry.attr_valid_nsec)};
}
std::chrono::nanoseconds attribute_timeout_of(const Reply& reply) {
  const auto attributes = reply.as<fuse_attr_out>();
  return time_of(attributes.attr_valid, attributes.attr_valid_nsec);
}

BOOST_FIXTURE_TEST_SUITE(protocol, ProtocolFixture)

BOOST_AUTO_TEST_CASE(init_asks_for_what_is_used_and_for_large_writes) {
  serve();
  const Reply reply = client->call(call::init(kWanted | kUnwanted | FUSE_MAX_PAGES));
  BOOST_REQUIRE_EQUAL(reply.errno_value, 0);
  const auto out = reply.as<fuse_init_out>();
  BOOST_TEST(out.major == FUSE_KERNEL_VERSION);
  BOOST_TEST((out.flags & kWanted) == kWanted);
  BOOST_TEST((out.flags & kUnwanted) == 0U);
  BOOST_TEST(out.max_write == 1U << 20);
  BOOST_TEST(out.max_pages * ::sysconf(_SC_PAGESIZE) == 1 << 20);
  BOOST_TEST(out.max_background == 1024);
}

BOOST_AUTO_TEST_CASE(a_kernel_that_offers_nothing_is_asked_for_nothing) {
  serve();
  const Reply reply = client->call(call::init(0));
  BOOST_REQUIRE_EQUAL(reply.errno_value, 0);
  BOOST_TEST((reply.as<fuse_init_out>().flags & (kWanted | kUnwanted)) == 0U);
}

BOOST_AUTO_TEST_CASE(nothing_is_served_before_init_and_it_comes_once) {
  serve();
  BOOST_TEST(client->call(call::getattr(kRootNode)).errno_value == EIO);
  BOOST_TEST(client->call(call::init(0)).errno_value == 0);
  BOOST_TEST(client->call(call::getattr(kRootNode)).errno_value == 0);
  BOOST_TEST(client->call(call::init(0)).errno_value == EIO);
}

BOOST_AUTO_TEST_CASE(destroy_is_answered) {
  start();
  BOOST_TEST(client->call(call::destroy()).errno_value == 0);
}

BOOST_AUTO_TEST_CASE(a_manifest_is_found_name_by_name_and_read_byte_by_byte) {
  const auto image = made.add_image("docker.io/library/busybox:1.36");
  start();
  const Bytes manifest = file_bytes(made.blob_path(image.descriptor.digest));
  const Reply found = look_up(path_of("manifest.json"));
  const auto entry = found.as<fuse_entry_out>();
  BOOST_TEST(entry.attr.ino == entry.nodeid);
  BOOST_TEST(entry.attr.mode == (S_IFREG | 0444U));
  BOOST_TEST(entry.attr.size == manifest.size());
  BOOST_TEST(read_file(entry.nodeid, 7) == manifest);
  BOOST_TEST(read_file(entry.nodeid, 1 << 17) == manifest);
}

BOOST_AUTO_TEST_CASE(a_path_has_one_id_however_often_it_is_looked_up) {
  made.add_image("docker.io/library/busybox:1.36");
  start();
  const NodeId config = find(path_of("config.json"));
  BOOST_TEST(find(path_of("config.json")) == config);
  client->send(call::forget(config, 2));
  BOOST_TEST(client->call(call::getattr(config)).errno_value == ESTALE);
  BOOST_TEST(find(path_of("config.json")) == config);
  BOOST_TEST(client->call(call::getattr(config)).errno_value == 0);
}

BOOST_AUTO_TEST_CASE(what_changes_is_believed_for_no_time) {
  start();
  const auto check = [](const Timeouts& timeouts) {
    BOOST_TEST((timeouts.entry == kNoTime));
    BOOST_TEST((timeouts.attributes == kNoTime));
  };
  const Created file = create("x.tar");
  for (const auto* name :
       {"ingest", ".imagefs", "index.json", ".imagefs/status.json", "ingest/x.tar"}) {
    BOOST_TEST_CONTEXT(name) check(timeouts_of(look_up(name)));
  }
  for (const NodeId node : {file.node, find("ingest"), find(".imagefs")}) {
    BOOST_TEST((attribute_timeout_of(client->call(call::getattr(node))) == kNoTime));
  }
}

BOOST_AUTO_TEST_CASE(names_of_images_are_believed_no_longer_than_a_reader_has_a_lease) {
  made.add_image("docker.io/library/busybox:1.36");
  start();
  BOOST_TEST((timeouts_of(look_up(kImage)).entry <= blobstore::kReaderLease));
  BOOST_TEST((timeouts_of(look_up("images")).attributes <= blobstore::kReaderLease));
  for (const NodeId node : {kRootNode, find("images"), find("images/docker.io/library")}) {
    BOOST_TEST(
        (attribute_timeout_of(client->call(call::getattr(node))) <= blobstore::kReaderLease));
  }
}

BOOST_AUTO_TEST_CASE(what_is_inside_an_image_is_believed_for_ever) {
  start();
  BOOST_REQUIRE_EQUAL(copy("busybox.tar", archive_of("base")), 0);
  for (const auto* name : {"manifest.json", "config.json", "layers", "layers/00", "image.tar",
                           "rootfs", "rootfs/base"}) {
    BOOST_TEST_CONTEXT(name) {
      const Timeouts timeouts = timeouts_of(look_up(path_of(name)));
      BOOST_TEST((timeouts.entry == kForever));
      BOOST_TEST((timeouts.attributes == kForever));
      const Reply again = client->call(call::getattr(find(path_of(name))));
      BOOST_TEST((attribute_timeout_of(again) == kForever));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_lookup_waits_for_the_index_of_a_rootfs) {
  start();
  const std::string layer =
      LayerWriter().add({.type = '5', .name = "./", .mode = 0700}).file("f", "f").str();
  BOOST_REQUIRE_EQUAL(copy("busybox.tar", archive_of_layer(layer)), 0);
  std::filesystem::remove_all(made.store->path() / "cache");
  const Reply listed = client->call(call::readdirplus(find(kImage), 0, 1 << 16));
  for (const DirectoryEntry& entry : nodes_in(listed.body)) {
    if (entry.name == "rootfs") BOOST_TEST(entry.node == 0U);
  }
  BOOST_TEST(!std::filesystem::exists(made.store->path() / "cache"));
  const Reply found = look_up(path_of("rootfs"));
  BOOST_TEST((timeouts_of(found).attributes == kForever));
  BOOST_TEST(found.as<fuse_entry_out>().attr.mode == (S_IFDIR | 0700));
}

BOOST_AUTO_TEST_CASE(an_absent_name_is_believed_absent_only_inside_an_image) {
  start();
  BOOST_REQUIRE_EQUAL(copy("busybox.tar", archive_of("base")), 0);
  for (const auto* name : {"layers/99", "rootfs/nothing"}) {
    BOOST_TEST_CONTEXT(name) {
      const Reply absent = look_up(path_of(name));
      BOOST_REQUIRE_EQUAL(absent.errno_value, 0);
      BOOST_TEST(absent.as<fuse_entry_out>().nodeid == 0U);
      BOOST_TEST((timeouts_of(absent).entry == kForever));
    }
  }
  for (const auto* name : {"nothing", "ingest/nothing", ".imagefs/nothing", "images/nothing",
                           "images/docker.io/library/nothing:1", "blobs/sha256/nothing"}) {
    BOOST_TEST_CONTEXT(name) BOOST_TEST(look_up(name).errno_value == ENOENT);
  }
}

BOOST_AUTO_TEST_CASE(a_read_gives_what_is_there_and_no_more) {
  made.add_image("docker.io/library/busybox:1.36");
  start();
  const NodeId node = find(path_of("config.json"));
  const Bytes config = read_file(node);
  const Reply opened = client->call(call::open(node, O_RDONLY));
  const std::uint64_t handle = opened.as<fuse_open_out>().fh;
  BOOST_TEST(opened.as<fuse_open_out>().open_flags == (FOPEN_KEEP_CACHE | FOPEN_NOFLUSH));
  const auto read = [&](std::uint64_t offset, std::uint32_t size) {
    const Reply reply = client->call(call::read(node, handle, offset, size));
    BOOST_TEST(reply.errno_value == 0);
    return reply.body;
  };
  BOOST_TEST(read(0, 0).empty());
  BOOST_TEST(read(3, 0).empty());
  BOOST_TEST(read(3, 5) == config.substr(3, 5));
  BOOST_TEST(read(config.size() - 1, 4096) == config.substr(config.size() - 1));
  BOOST_TEST(read(config.size(), 4096).empty());
  BOOST_TEST(read(config.size() + 1, 4096).empty());
  BOOST_TEST(read(1ULL << 62, 4096).empty());
  // As pread(2) says.
  for (const std::uint64_t offset : {~0ULL, ~0ULL >> 1}) {
    BOOST_TEST(client->call(call::read(node, handle, offset, 4096)).errno_value == EINVAL);
  }
}

BOOST_AUTO_TEST_CASE(data_and_holes_are_told_and_nothing_behind_the_end) {
  const std::string layer = LayerWriter()
                                .add({.name = "sparse",
                                      .data = "abc",
                                      .pax = {{"GNU.sparse.size", "100"},
                                              {"GNU.sparse.numblocks", "1"},
                                              {"GNU.sparse.map", "10,3"}}})
                                .str();
  for (const bool read_only : {false, true}) {
    start({.read_only = false});
    BOOST_REQUIRE_EQUAL(copy("busybox.tar", archive_of_layer(layer)), 0);
    stop();
    start({.read_only = read_only});
    const NodeId node = find(path_of("rootfs/sparse"));
    const Reply opened = client->call(call::open(node, O_RDONLY));
    const std::uint64_t handle = read_only ? 0 : opened.as<fuse_open_out>().fh;
    const auto seek = [&](std::uint64_t offset, int whence) {
      return client->call(call::lseek(node, handle, offset, static_cast<std::uint32_t>(whence)));
    };
    BOOST_TEST(seek(0, SEEK_DATA).as<fuse_lseek_out>().offset == 10U);
    BOOST_TEST(seek(11, SEEK_HOLE).as<fuse_lseek_out>().offset == 13U);
    BOOST_TEST(seek(13, SEEK_DATA).errno_value == ENXIO);
    for (const int whence : {SEEK_DATA, SEEK_HOLE}) {
      BOOST_TEST(seek(100, whence).errno_value == ENXIO);
      BOOST_TEST(seek(~0ULL, whence).errno_value == ENXIO);
    }
    BOOST_TEST(seek(0, SEEK_END).errno_value == EINVAL);
    stop();
  }
}

BOOST_AUTO_TEST_CASE(a_computed_archive_is_read_in_any_pieces) {
  start();
  BOOST_REQUIRE_EQUAL(copy("busybox.tar", archive_of("base")), 0);
  const NodeId node = find(path_of("image.tar"));
  const Bytes whole = read_file(node, 1 << 17);
  BOOST_TEST(whole.size() == look_up(path_of("image.tar")).as<fuse_entry_out>().attr.size);
  BOOST_TEST((read_file(node, 511) == whole));
}

BOOST_AUTO_TEST_CASE(a_changing_file_is_read_past_the_cache) {
  start();
  const NodeId node = find(".imagefs/status.json");
  const Reply opened = client->call(call::open(node, O_RDONLY));
  BOOST_TEST((opened.as<fuse_open_out>().open_flags & FOPEN_DIRECT_IO) != 0U);
  BOOST_TEST((opened.as<fuse_open_out>().open_flags & FOPEN_KEEP_CACHE) == 0U);
}

BOOST_AUTO_TEST_CASE(a_layer_is_a_link_to_its_blob) {
  const auto image = made.add_image("docker.io/library/busybox:1.36");
  start();
  const Reply target = client->call(call::readlink(find(path_of("layers/00"))));
  BOOST_TEST(target.errno_value == 0);
  BOOST_TEST(target.body.ends_with("/blobs/sha256/" + image.layers[0].hex()));
  BOOST_TEST(client->call(call::readlink(find(path_of("config.json")))).errno_value == EINVAL);
}

BOOST_AUTO_TEST_CASE(a_blob_tells_its_digest_and_its_type) {
  const auto image = made.add_image("docker.io/library/busybox:1.36");
  start();
  const NodeId node = find(path_of("manifest.json"));
  const std::string digest = image.descriptor.digest.str();
  const auto get = [&](std::string_view name, std::uint32_t size) {
    return client->call(call::getxattr(node, name, size));
  };
  BOOST_TEST(get("user.imagefs.digest", 0).as<fuse_getxattr_out>().size == digest.size());
  BOOST_TEST(get("user.imagefs.digest", 1000).body == digest);
  BOOST_TEST(get("user.imagefs.digest", 70).errno_value == ERANGE);
  BOOST_TEST(get("user.imagefs.media_type", 1000).body == image.descriptor.media_type);
  BOOST_TEST(get("user.nothing", 1000).errno_value == ENODATA);
  BOOST_TEST(get("system.posix_acl_access", 1000).errno_value == EOPNOTSUPP);
  const Reply names = client->call(call::listxattr(node, 1000));
  BOOST_TEST(names.body.find("user.imagefs.digest") != Bytes::npos);
  const Reply size = client->call(call::listxattr(node, 0));
  BOOST_TEST(size.as<fuse_getxattr_out>().size == names.body.size());
  BOOST_TEST(client->call(call::listxattr(node, 3)).errno_value == ERANGE);
}

BOOST_AUTO_TEST_CASE(a_read_only_mount_has_nothing_opened_or_closed) {
  const auto image = made.add_image("docker.io/library/busybox:1.36");
  start({.read_only = true});
  BOOST_TEST(look_up("ingest").errno_value == ENOENT);
  const NodeId node = find(path_of("manifest.json"));
  BOOST_TEST(client->call(call::open(node, O_RDONLY)).errno_value == ENOSYS);
  BOOST_TEST(client->call(call::flush(node, 0)).errno_value == ENOSYS);
  BOOST_TEST(client->call(call::read(node, 0, 0, 1 << 17)).body ==
             file_bytes(made.blob_path(image.descriptor.digest)));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace imagefs::fs::test
