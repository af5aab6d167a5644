// What is refused: changes outside ingest/, nodes and files that nobody has, what is unknown or
// malformed.
#include <fcntl.h>
#include <poll.h>

#include <boost/test/unit_test.hpp>
#include <cerrno>

#include "tests/fs/protocol_fixture.h"

namespace imagefs::fs::test {
namespace {

constexpr auto kImage = "images/docker.io/library/busybox:1.36";
constexpr NodeId kNobody = 0x123456789abcdef;
constexpr std::uint64_t kNoHandle = 1 << 30;

// Each a change, of the node or in the directory `node`.
std::vector<Call> changes_of(NodeId node) {
  return {call::create(node, "new", O_CREAT | O_WRONLY),
          call::mkdir(node, "new"),
          call::mknod(node, "new"),
          call::symlink(node, "new", "target"),
          call::link(node, node, "new"),
          call::unlink(node, "manifest.json"),
          call::rmdir(node, "layers"),
          call::rename(node, "manifest.json", node, "new"),
          call::setxattr(node, "user.x", "y"),
          call::removexattr(node, "user.x"),
          call::change_mode(node, 0600),
          call::truncate(node, 0),
          call::fallocate(node, 0, 0, 10, 0)};
}

std::vector<Call> looks_at(NodeId node) {
  return {call::lookup(node, "name"),
          call::getattr(node),
          call::readlink(node),
          call::open(node, O_RDONLY),
          call::readdir(node, 0, 4096),
          call::readdirplus(node, 0, 4096),
          call::getxattr(node, "user.x", 0),
          call::listxattr(node, 0)};
}

struct RefusalFixture : ProtocolFixture {
  RefusalFixture() { made.add_image("docker.io/library/busybox:1.36"); }

  void check_all(const std::vector<Call>& calls, int errno_value) {
    for (const Call& call : calls) {
      BOOST_TEST_CONTEXT("opcode " << call.opcode << " of node " << call.node) {
        BOOST_TEST(client->call(call).errno_value == errno_value);
      }
    }
  }
  void check_serves() {
    BOOST_TEST(look_up(std::string(kImage) + "/manifest.json").errno_value == 0);
    BOOST_TEST(client->strays().empty());
  }
  [[nodiscard]] bool has_ended_by_itself() const {
    pollfd ended{.fd = ended_fd(), .events = POLLIN, .revents = 0};
    return ::poll(&ended, 1, 60'000) == 1;
  }
};

BOOST_FIXTURE_TEST_SUITE(protocol_refusals, RefusalFixture)

BOOST_AUTO_TEST_CASE(outside_ingest_nothing_can_be_changed) {
  start();
  const std::string image = kImage;
  for (const std::string& path :
       {std::string("images"), image, image + "/manifest.json", image + "/layers",
        std::string("blobs/sha256"), std::string(".imagefs/status.json")}) {
    BOOST_TEST_CONTEXT(path) check_all(changes_of(find(path)), EROFS);
  }
  for (const std::string& file : {image + "/config.json", std::string("index.json")}) {
    check_all({call::open(find(file), O_WRONLY), call::open(find(file), O_RDWR),
               call::open(find(file), O_RDONLY | O_TRUNC)},
              EROFS);
  }
}

BOOST_AUTO_TEST_CASE(the_roots_own_names_can_not_be_taken) {
  start();
  for (const auto* name : {"images", "ingest", "blobs", "index.json", "oci-layout", ".imagefs"}) {
    check_all({call::create(kRootNode, name, O_CREAT | O_WRONLY), call::unlink(kRootNode, name),
               call::rename(kRootNode, name, kRootNode, "x")},
              EROFS);
  }
}

BOOST_AUTO_TEST_CASE(an_archive_cannot_be_renamed_out_of_ingest) {
  start();
  (void)create("x.tar");
  check_all({call::rename(find("ingest"), "x.tar", find("images"), "x.tar"),
             call::link(find("ingest/x.tar"), find("images"), "x.tar")},
            EROFS);
  BOOST_TEST(look_up("ingest/x.tar").errno_value == 0);
}

BOOST_AUTO_TEST_CASE(ingest_takes_files_only) {
  start();
  const NodeId ingest = find("ingest");
  check_all({call::mkdir(ingest, "new"), call::symlink(ingest, "new", "x"),
             call::mknod(ingest, "new"), call::rmdir(ingest, "new")},
            EROFS);
}

BOOST_AUTO_TEST_CASE(a_node_that_was_never_given_is_stale) {
  start();
  for (const NodeId node : {kNobody, NodeId{0}, ~NodeId{0}, NodeId{1} << 63}) {
    check_all(looks_at(node), ESTALE);
    check_all(changes_of(node), ESTALE);
  }
}

BOOST_AUTO_TEST_CASE(a_node_that_was_forgotten_is_stale) {
  start();
  const NodeId node = find(std::string(kImage) + "/manifest.json");
  client->send(call::forget(node, 1));
  check_all(looks_at(node), ESTALE);
  check_all(changes_of(node), ESTALE);
  check_serves();
}

BOOST_AUTO_TEST_CASE(a_directory_whose_last_name_went_is_stale) {
  start();
  const NodeId library = find("images/docker.io/library");
  made.remove("docker.io/library/busybox:1.36");
  check_all({call::lookup(library, "busybox:1.36"), call::readdir(library, 0, 4096)}, ESTALE);
}

BOOST_AUTO_TEST_CASE(a_file_that_is_not_open_is_no_file) {
  start();
  const NodeId node = find(std::string(kImage) + "/manifest.json");
  check_all(
      {call::read(node, kNoHandle, 0, 10), call::write(node, kNoHandle, 0, "x"),
       call::flush(node, kNoHandle), call::fsync(node, kNoHandle), call::release(node, kNoHandle)},
      EBADF);
  const auto handle = client->call(call::open(node, O_RDONLY)).as<fuse_open_out>().fh;
  check_all({call::write(node, handle, 0, "x")}, EBADF);
  check_all({call::flush(node, handle), call::fsync(node, handle), call::release(node, handle)}, 0);
  check_all({call::release(node, handle)}, EBADF);
}

BOOST_AUTO_TEST_CASE(a_node_is_what_it_is) {
  start();
  const NodeId file = find(std::string(kImage) + "/manifest.json");
  check_all(
      {call::lookup(file, "x"), call::readdir(file, 0, 4096), call::readdirplus(file, 0, 4096)},
      ENOTDIR);
  check_all({call::open(find(kImage), O_RDONLY)}, EISDIR);
}

BOOST_AUTO_TEST_CASE(what_is_not_known_is_not_implemented) {
  start();
  for (const std::uint32_t opcode : {7U, 19U, 60U, 100U, 4095U, 65'535U, ~0U}) {
    check_all({{opcode, kRootNode, Bytes(100, '\0')}}, ENOSYS);
  }
  check_serves();
}

BOOST_AUTO_TEST_CASE(odd_names_are_absent_and_long_ones_too_long) {
  start();
  for (const NodeId node : {kRootNode, find("images"), find(kImage), find("ingest")}) {
    check_all({call::lookup(node, ""), call::lookup(node, "."), call::lookup(node, ".."),
               call::lookup(node, "a/b"), call::lookup(node, "/"), call::lookup(node, "\xff\xfe"),
               call::lookup(node, std::string(255, 'x'))},
              ENOENT);
    check_all(
        {call::lookup(node, std::string(256, 'x')), call::lookup(node, std::string(60'000, 'x'))},
        ENAMETOOLONG);
  }
  check_all({call::create(find("ingest"), std::string(256, 'x'), O_CREAT | O_WRONLY)},
            ENAMETOOLONG);
}

BOOST_AUTO_TEST_CASE(to_forget_what_is_not_known_or_more_than_that_is_harmless) {
  start();
  const NodeId node = find(kImage);
  client->send(call::forget(kNobody, 1));
  client->send(call::forget(kRootNode, ~0ULL));
  client->send(call::forget(node, 0));
  BOOST_TEST(client->call(call::getattr(node)).errno_value == 0);
  client->send(call::forget(node, ~0ULL));
  client->send(call::forget(node, ~0ULL));
  client->send(call::batch_forget({}));
  client->send(call::batch_forget(
      std::vector<std::pair<NodeId, std::uint64_t>>(2000, {kNobody, 1ULL << 63})));
  BOOST_TEST(client->call(call::getattr(kRootNode)).errno_value == 0);
  check_serves();
}

// The kernel repeats one that is answered so: what it is about may come after it.
BOOST_AUTO_TEST_CASE(an_interrupt_of_what_is_not_asked_is_answered_at_the_next_request) {
  start();
  for (std::uint64_t unique = 1'000'000; unique < 1'000'010; ++unique) {
    const std::uint64_t interrupt = client->send(call::interrupt(unique));
    BOOST_TEST(client->call(call::getattr(kRootNode)).errno_value == 0);
    BOOST_TEST(client->wait(interrupt).errno_value == EAGAIN);
  }
  check_serves();
}

BOOST_AUTO_TEST_CASE(a_request_that_lies_about_its_length_is_answered_once) {
  start();
  for (const std::uint32_t length : {0U, 1U, 39U, 40U, 41U, 1U << 20, ~0U}) {
    const std::uint64_t unique = client->send(call::getattr(kRootNode), length);
    BOOST_TEST(client->wait(unique).errno_value == 0);
  }
  check_serves();
}

// libfuse takes what was in its buffer before for what is missing. It also believes the counts in
// WRITE and BATCH_FORGET, and that a NOTIFY_REPLY was asked for: only a kernel can send these.
// After a DESTROY it serves nothing.
BOOST_AUTO_TEST_CASE(a_request_that_is_cut_is_answered_and_the_next_one_too) {
  start();
  for (std::uint32_t opcode = 1; opcode < 55; ++opcode) {
    if (opcode == FUSE_WRITE || opcode == FUSE_BATCH_FORGET || opcode == FUSE_NOTIFY_REPLY ||
        opcode == FUSE_DESTROY)
      continue;
    const std::uint64_t unique = client->send({opcode, kRootNode});
    if (opcode == FUSE_FORGET || opcode == FUSE_INTERRUPT) continue;
    BOOST_CHECK_NO_THROW((void)client->wait(unique));
  }
  check_serves();
}

BOOST_AUTO_TEST_CASE(a_name_without_an_end_is_answered) {
  start();
  for (const std::string& name : {std::string("images"), std::string(300, 'x')}) {
    BOOST_CHECK_NO_THROW((void)client->call({FUSE_LOOKUP, kRootNode, name}));
    BOOST_CHECK_NO_THROW((void)client->call({FUSE_UNLINK, kRootNode, name}));
    BOOST_CHECK_NO_THROW((void)client->call({FUSE_REMOVEXATTR, kRootNode, name}));
  }
  check_serves();
}

// So libfuse does with what is no request at all; a daemon whose session has ended goes.
BOOST_AUTO_TEST_CASE(less_than_a_header_ends_the_session) {
  start();
  client->send_message("x");
  BOOST_TEST(has_ended_by_itself());
  stop();
  client->wait_for_end();
}

BOOST_AUTO_TEST_CASE(a_kernel_that_has_gone_ends_the_session) {
  start();
  client.reset();
  BOOST_TEST(has_ended_by_itself());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace imagefs::fs::test
