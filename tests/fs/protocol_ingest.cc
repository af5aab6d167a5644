// Archives that arrive: the verdict is an answer of the protocol.
#include <fcntl.h>
#include <sys/stat.h>

#include <boost/test/unit_test.hpp>
#include <cerrno>

#include "tests/fs/protocol_fixture.h"
#include "tests/support/image_archive.h"

namespace imagefs::fs::test {
namespace {

constexpr auto kLibrary = "images/docker.io/library";
constexpr auto kImage = "images/docker.io/library/busybox:1.36";
constexpr std::size_t kPiece = 128 << 10;
constexpr std::size_t kPipe = 2 << 20;  // ingest.cc

// A caller that the daemon cannot see: nobody but an INTERRUPT tells of its end.
constexpr Caller kUnseen{.uid = 0, .gid = 0, .pid = 0};

struct IngestProtocol : ProtocolFixture {
  IngestProtocol() {
    made.add_image("docker.io/library/other:1");
    start({.threads = 2});  // as a real mount has
  }

  Reply write(const Created& file, std::uint64_t offset, std::string_view bytes) {
    return client->call(call::write(file.node, file.handle, offset, bytes));
  }
  int write_all(const Created& file, std::string_view archive, std::uint64_t from = 0) {
    for (std::uint64_t at = from; at < archive.size(); at += kPiece) {
      const Reply reply = write(file, at, archive.substr(at, kPiece));
      if (reply.errno_value != 0) return reply.errno_value;
      BOOST_TEST(reply.as<fuse_write_out>().size == archive.substr(at, kPiece).size());
    }
    return 0;
  }
  int flush(const Created& file) {
    return client->call(call::flush(file.node, file.handle)).errno_value;
  }
  int release(const Created& file) {
    return client->call(call::release(file.node, file.handle)).errno_value;
  }
  Bytes error_of(const std::string& name) { return read_file(find("ingest/" + name + ".error")); }
};

BOOST_FIXTURE_TEST_SUITE(protocol_ingest, IngestProtocol)

BOOST_AUTO_TEST_CASE(a_good_archive_is_there_when_its_flush_is_answered) {
  const std::string archive = archive_of("hello");
  const Created file = create("busybox.tar");
  BOOST_TEST(write_all(file, archive) == 0);
  BOOST_TEST(flush(file) == 0);
  BOOST_TEST(read_file(find(std::string(kImage) + "/rootfs/base")) == "hello");
  BOOST_TEST(release(file) == 0);
  BOOST_TEST(look_up("ingest/busybox.tar.error").errno_value == ENOENT);
}

BOOST_AUTO_TEST_CASE(the_kernel_hears_of_a_changed_directory_before_the_verdict) {
  const NodeId library = find(kLibrary);
  const Created file = create("busybox.tar");
  BOOST_TEST(write_all(file, archive_of("hello")) == 0);
  BOOST_TEST(!client->invalidated().contains(library));
  BOOST_TEST(flush(file) == 0);
  BOOST_TEST(client->invalidated().contains(library));
}

BOOST_AUTO_TEST_CASE(names_of_directories_are_never_invalidated) {
  BOOST_TEST(copy("a.tar", archive_of("a")) == 0);
  BOOST_TEST(copy("b.tar", archive_of("b")) == 0);  // the name moves to another image
  for (const Notification& notification : client->notifications()) {
    BOOST_TEST(notification.code == FUSE_NOTIFY_INVAL_INODE);
  }
}

BOOST_AUTO_TEST_CASE(a_moved_name_leads_to_a_new_node) {
  BOOST_TEST(copy("a.tar", archive_of("a")) == 0);
  const NodeId before = find(kImage);
  BOOST_TEST(copy("b.tar", archive_of("b")) == 0);
  BOOST_TEST(find(kImage) != before);
  BOOST_TEST(read_file(find(std::string(kImage) + "/rootfs/base")) == "b");
}

BOOST_AUTO_TEST_CASE(a_cut_archive_is_refused_at_its_close) {
  const std::string archive = archive_of("hello");
  const NodeId library = find(kLibrary);
  BOOST_TEST(copy("cut.tar", archive.substr(0, archive.size() / 2)) == ENODATA);
  BOOST_TEST(!client->invalidated().contains(library));
  BOOST_TEST(look_up(kImage).errno_value == ENOENT);
  BOOST_TEST(!error_of("cut.tar").empty());
}

BOOST_AUTO_TEST_CASE(a_cut_archive_may_go_on_when_another_process_has_closed_it) {
  const std::string archive = archive_of("hello");
  const Created file = create("busybox.tar");
  BOOST_TEST(write(file, 0, archive.substr(0, 1024)).errno_value == 0);
  client->caller = kUnseen;
  BOOST_TEST(flush(file) == 0);
  client->caller = Caller{.uid = ::getuid(), .gid = ::getgid(), .pid = ::getpid()};
  BOOST_TEST(write(file, 1024, archive.substr(1024)).errno_value == 0);
  BOOST_TEST(flush(file) == 0);
  BOOST_TEST(look_up(kImage).errno_value == 0);
}

BOOST_AUTO_TEST_CASE(a_damaged_blob_is_refused_with_its_class) {
  BOOST_TEST(copy("damaged.tar", damaged_archive()) == EBADMSG);
  BOOST_TEST(error_of("damaged.tar").find("sha256:") != Bytes::npos);
}

BOOST_AUTO_TEST_CASE(what_is_no_archive_is_refused) {
  BOOST_TEST(copy("text.tar", std::string(2000, 'x')) == EINVAL);
}

BOOST_AUTO_TEST_CASE(an_empty_file_has_no_verdict) {
  const Created file = create("empty.tar");
  BOOST_TEST(flush(file) == 0);
  BOOST_TEST(release(file) == 0);
  BOOST_TEST(look_up("ingest/empty.tar.error").errno_value == ENOENT);
}

BOOST_AUTO_TEST_CASE(what_has_been_read_cannot_be_written_again) {
  const std::string archive = archive_of("hello");
  const Created file = create("busybox.tar");
  BOOST_TEST(write(file, 0, archive.substr(0, 1000)).errno_value == 0);
  BOOST_TEST(write(file, 0, archive.substr(0, 1000)).errno_value == EINVAL);
  BOOST_TEST(write(file, 999, archive.substr(999)).errno_value == EINVAL);
  BOOST_TEST(client->call(call::truncate(file.node, 500)).errno_value == EINVAL);
  BOOST_TEST(write(file, 1000, archive.substr(1000)).errno_value == 0);
  BOOST_TEST(flush(file) == 0);
}

BOOST_AUTO_TEST_CASE(a_consumed_archive_cannot_be_read_back) {
  const Created file = create("busybox.tar");
  BOOST_TEST(write(file, 0, archive_of("hello")).errno_value == 0);
  BOOST_TEST(client->call(call::read(file.node, file.handle, 0, 100)).errno_value == EPERM);
}

BOOST_AUTO_TEST_CASE(an_archive_is_published_at_the_rename_of_its_temporary_name) {
  const NodeId ingest = find("ingest");
  BOOST_TEST(copy(".x.tar.1", archive_of("hello")) == 0);
  BOOST_TEST(look_up(kImage).errno_value == ENOENT);
  const Reply renamed = client->call(call::rename(ingest, ".x.tar.1", ingest, "x.tar"));
  BOOST_TEST(renamed.errno_value == 0);
  BOOST_TEST(look_up(kImage).errno_value == 0);
}

BOOST_AUTO_TEST_CASE(a_removed_archive_is_given_up) {
  const Created file = create("busybox.tar");
  BOOST_TEST(write(file, 0, archive_of("hello").substr(0, 1000)).errno_value == 0);
  BOOST_TEST(client->call(call::unlink(find("ingest"), "busybox.tar")).errno_value == 0);
  BOOST_TEST(flush(file) == ECANCELED);
  BOOST_TEST(release(file) == 0);
  BOOST_TEST(look_up("ingest/busybox.tar").errno_value == ENOENT);
}

BOOST_AUTO_TEST_CASE(a_second_writer_is_told_that_the_name_is_busy) {
  const Created file = create("busybox.tar");
  BOOST_TEST(write(file, 0, archive_of("hello").substr(0, 1000)).errno_value == 0);
  BOOST_TEST(client->call(call::open(file.node, O_WRONLY)).errno_value == EBUSY);
  BOOST_TEST(client->call(call::create(find("ingest"), "busybox.tar", O_WRONLY)).errno_value ==
             EBUSY);
}

BOOST_AUTO_TEST_CASE(an_interrupted_flush_is_answered_while_the_import_waits) {
  gate.shut();
  const Created file = create("busybox.tar");
  BOOST_TEST(write(file, 0, archive_of("hello")).errno_value == 0);
  client->caller = kUnseen;
  const std::uint64_t waiting = client->send(call::flush(file.node, file.handle));
  client->send(call::interrupt(waiting));
  BOOST_TEST(client->wait(waiting).errno_value == EINTR);
  gate.open();
  BOOST_TEST(flush(file) == 0);
  BOOST_TEST(look_up(kImage).errno_value == 0);
}

BOOST_AUTO_TEST_CASE(an_interrupt_of_a_caller_that_lives_on_changes_no_verdict) {
  gate.shut();
  const Created file = create("busybox.tar");
  BOOST_TEST(write(file, 0, archive_of("hello")).errno_value == 0);
  const std::uint64_t waiting = client->send(call::flush(file.node, file.handle));
  client->send(call::interrupt(waiting));
  gate.open();
  BOOST_TEST(client->wait(waiting).errno_value == 0);
}

BOOST_AUTO_TEST_CASE(an_interrupted_write_can_be_repeated_and_nothing_is_lost) {
  const std::string archive = archive_of(std::string(kPipe + 3 * kPiece, 'h'));
  gate.shut();
  const Created file = create("busybox.tar");
  BOOST_TEST(write_all(file, archive.substr(0, kPipe)) == 0);  // as much as may wait
  client->caller = kUnseen;
  const Call parked = call::write(file.node, file.handle, kPipe, archive.substr(kPipe, kPiece));
  const std::uint64_t waiting = client->send(parked);
  client->send(call::interrupt(waiting));
  BOOST_TEST(client->wait(waiting).errno_value == EINTR);
  gate.open();
  BOOST_TEST(write_all(file, archive, kPipe) == 0);
  BOOST_TEST(flush(file) == 0);
  BOOST_TEST(look_up(kImage).errno_value == 0);
}

BOOST_AUTO_TEST_CASE(others_are_answered_while_a_write_waits) {
  const std::string archive = archive_of(std::string(kPipe + 3 * kPiece, 'h'));
  gate.shut();
  const Created file = create("busybox.tar");
  BOOST_TEST(write_all(file, archive.substr(0, kPipe)) == 0);
  const std::uint64_t waiting =
      client->send(call::write(file.node, file.handle, kPipe, archive.substr(kPipe, kPiece)));
  for (int i = 0; i < 10; ++i) BOOST_TEST(look_up("ingest/busybox.tar").errno_value == 0);
  BOOST_TEST(!names_in(client->call(call::readdir(find("ingest"), 0, 4096)).body).empty());
  gate.open();
  BOOST_TEST(client->wait(waiting).errno_value == 0);
}

BOOST_AUTO_TEST_CASE(a_mount_goes_away_while_a_close_waits) {
  gate.shut();
  const Created file = create("busybox.tar");
  BOOST_TEST(write(file, 0, archive_of("hello")).errno_value == 0);
  client->send(call::flush(file.node, file.handle));
  stop();
  client->wait_for_end();
  BOOST_TEST(client->strays().empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace imagefs::fs::test
