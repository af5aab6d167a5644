// Thousands of requests that a kernel could send, in an order that none would: each is answered
// once, and nothing else is harmed.
#include <fcntl.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <random>

#include "tests/fs/protocol_fixture.h"

namespace imagefs::fs::test {
namespace {

constexpr auto kManifest = "images/docker.io/library/busybox:1.36/manifest.json";
constexpr int kRounds = 1500;
constexpr std::size_t kMostAtOnce = 8;
constexpr int kErrnoEnd = 512;  // the kernel takes no larger one for an answer
constexpr std::size_t kMostRemembered = 200;
constexpr std::uint32_t kMostBytes = 100'000;

class Walk {
 public:
  Walk(std::uint64_t seed, FuseClient& client)
      : random_(seed), client_(client), archive_(archive_of(std::string(40'000, 'w'), "walk:1")) {}

  void know(NodeId node) { nodes_.push_back(node); }

  // Some requests at a time, so that they meet.
  void round() {
    std::vector<std::pair<Call, std::uint64_t>> asked;
    for (std::uint64_t count = below(kMostAtOnce) + 1; count > 0; --count) {
      client_.caller.pid = chance(8) ? 0 : ::getpid();
      Call call = any_call();
      const std::uint64_t unique = client_.send(call);
      asked.emplace_back(std::move(call), unique);
      if (chance(10)) client_.send(call::interrupt(unique));
    }
    for (const auto& [call, unique] : asked) {
      if (call.opcode == FUSE_FORGET || call.opcode == FUSE_BATCH_FORGET) continue;
      check(call, client_.wait(unique));
    }
  }

 private:
  std::uint64_t below(std::uint64_t end) { return random_() % end; }
  bool chance(std::uint64_t one_in) { return below(one_in) == 0; }

  template <typename Values>
  const typename Values::value_type& any_of(const Values& values) {
    return values[below(values.size())];
  }

  NodeId node() { return chance(20) ? random_() : any_of(nodes_); }
  std::uint64_t handle() { return handles_.empty() || chance(20) ? random_() : any_of(handles_); }
  std::uint64_t offset() {
    static const std::vector<std::uint64_t> odd = {
        INT64_MAX, INT64_MAX - 1, 1ULL << 62, 1ULL << 40, UINT64_MAX, 1ULL << 63, 4096, 1, 2, 3};
    return chance(3) ? any_of(odd) : below(2 * archive_.size());
  }
  std::uint32_t size() { return static_cast<std::uint32_t>(below(chance(4) ? kMostBytes : 600)); }
  std::string name() {
    static const std::vector<std::string> names = {
        "images", "ingest", "docker.io",     "library",     "busybox:1.36", "busybox",
        "walk:1", "rootfs", "manifest.json", "config.json", "layers",       "image.tar",
        "00",     "base",   ".imagefs",      "status.json", "index.json",   "blobs",
        "sha256", "a.tar",  "b.tar",         ".a.tar.tmp",  "a.tar.error",  "..",
        ""};
    return any_of(names);
  }
  std::string bytes() {
    if (chance(3)) return std::string(size(), 'x');
    return archive_.substr(below(archive_.size()), size());
  }

  Call any_call() {
    switch (below(4)) {
      case 0:
        return look();
      case 1:
        return use_file();
      case 2:
        return change();
      default:
        return call::lookup(node(), name());
    }
  }
  Call look() {
    switch (below(10)) {
      case 0:
        return call::getattr(node());
      case 1:
        return call::readlink(node());
      case 2:
        return call::statfs(node());
      case 3:
        return call::getxattr(node(), "user.imagefs.digest", size());
      case 4:
        return call::listxattr(node(), size());
      case 5:
        return call::readdir(node(), offset(), size());
      case 6:
        return call::readdirplus(node(), chance(2) ? 0 : offset(), size());
      case 7:
        return chance(4) ? call::forget(node(), chance(2) ? 1 : random_()) : call::opendir(node());
      case 8:
        return call::batch_forget({{random_(), random_()}, {random_(), 1}});
      default:
        return {static_cast<std::uint32_t>(1000 + below(1000)), node(), Bytes(size(), 'x')};
    }
  }
  Call use_file() {
    switch (below(10)) {
      case 0:
        return call::open(node(), any_of(std::vector{O_RDONLY, O_WRONLY, O_RDWR, O_TRUNC}));
      case 1:
        return call::create(node(), name(), O_CREAT | O_WRONLY | (chance(2) ? O_EXCL : 0));
      case 2:
        return call::write(node(), handle(), chance(2) ? 0 : offset(), bytes());
      case 3:
        return call::write(node(), handle(), 0, archive_);
      case 4:
        return call::flush(node(), handle());
      case 5:
        return call::fsync(node(), handle());
      case 6:
        return call::release(node(), handle());
      case 7:
        return call::lseek(node(), handle(), offset(), static_cast<std::uint32_t>(below(6)));
      default:
        return call::read(node(), handle(), offset(), size());
    }
  }
  Call change() {
    switch (below(10)) {
      case 0:
        return call::change_mode(node(), static_cast<mode_t>(random_() & 07777));
      case 1:
        return call::truncate(node(), offset());
      case 2:
        return call::fallocate(node(), handle(), offset(), offset(),
                               static_cast<std::uint32_t>(below(4)));
      case 3:
        return call::setxattr(node(), "user.x", bytes());
      case 4:
        return call::removexattr(node(), name());
      case 5:
        return call::mkdir(node(), name());
      case 6:
        return call::symlink(node(), name(), name());
      case 7:
        return call::link(node(), node(), name());
      case 8:
        return call::unlink(node(), name());
      default:
        return call::rename(node(), name(), node(), name(), static_cast<std::uint32_t>(below(4)));
    }
  }

  void check(const Call& call, const Reply& reply) {
    BOOST_TEST_CONTEXT("opcode " << call.opcode << " of node " << call.node) {
      BOOST_REQUIRE_GE(reply.errno_value, 0);
      BOOST_REQUIRE_LT(reply.errno_value, kErrnoEnd);
      if (reply.errno_value != 0) {
        BOOST_TEST(reply.body.empty());
        return;
      }
      learn(call, reply);
    }
  }
  void learn(const Call& call, const Reply& reply) {
    switch (call.opcode) {
      case FUSE_LOOKUP:
        remember(nodes_, reply.as<fuse_entry_out>().nodeid);
        break;
      case FUSE_CREATE:
        remember(nodes_, reply.as<fuse_entry_out>().nodeid);
        remember(handles_, value_of<fuse_open_out>(reply.body.substr(sizeof(fuse_entry_out))).fh);
        break;
      case FUSE_OPEN:
        remember(handles_, reply.as<fuse_open_out>().fh);
        break;
      case FUSE_READ:
        BOOST_TEST(reply.body.size() <= value_of<fuse_read_in>(call.body).size);
        break;
      case FUSE_WRITE:
        BOOST_TEST(reply.as<fuse_write_out>().size == value_of<fuse_write_in>(call.body).size);
        break;
      case FUSE_READDIR:
        check_listing(call, reply, names_in(reply.body));
        break;
      case FUSE_READDIRPLUS:
        check_listing(call, reply, nodes_in(reply.body));
        for (const DirectoryEntry& entry : nodes_in(reply.body)) remember(nodes_, entry.node);
        break;
      default:
        break;
    }
  }
  static void check_listing(const Call& call, const Reply& reply,
                            const std::vector<DirectoryEntry>& entries) {
    const auto in = value_of<fuse_read_in>(call.body);
    BOOST_TEST(reply.body.size() <= in.size);
    std::uint64_t before = in.offset;
    for (const DirectoryEntry& entry : entries) {
      BOOST_TEST(entry.next > before, entry.name << " is where it has been");
      before = entry.next;
    }
  }
  void remember(std::vector<std::uint64_t>& known, std::uint64_t value) {
    if (value == 0) return;
    if (known.size() < kMostRemembered) return known.push_back(value);
    known[below(known.size())] = value;
  }

  std::mt19937_64 random_;
  FuseClient& client_;
  const std::string archive_;
  std::vector<NodeId> nodes_{kRootNode};
  std::vector<std::uint64_t> handles_;
};

BOOST_AUTO_TEST_SUITE(protocol_walk)

BOOST_AUTO_TEST_CASE(whatever_is_asked_is_answered_once_and_a_lookup_works_after_it) {
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      ProtocolFixture mount;
      mount.made.add_image("docker.io/library/busybox:1.36");
      mount.start({.threads = 2});  // as a real mount has
      Walk walk(seed, *mount.client);
      for (const auto* path : {"ingest", "images", kManifest}) walk.know(mount.find(path));
      for (int i = 0; i < kRounds; ++i) BOOST_REQUIRE_NO_THROW(walk.round());
      mount.client->caller.pid = ::getpid();
      BOOST_TEST(mount.look_up(kManifest).errno_value == 0);
      BOOST_TEST(!mount.read_file(mount.find(kManifest)).empty());
      BOOST_TEST(mount.copy("good.tar", archive_of("good", "good:1")) == 0);
      BOOST_TEST(mount.client->strays().empty());
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace imagefs::fs::test
