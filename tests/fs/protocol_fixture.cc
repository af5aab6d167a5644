#include "tests/fs/protocol_fixture.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <boost/test/unit_test.hpp>
#include <csignal>
#include <utility>

#include "fs/fuse_mount.h"
#include "fs/image_tar.h"
#include "fs/mount_root.h"
#include "fs/rootfs.h"
#include "tests/support/image_archive.h"

namespace imagefs::fs::test {
namespace {

constexpr std::uint32_t kEverything = ~(1U << 31);  // FUSE_INIT_RESERVED

std::array<UniqueFd, 2> socket_pair() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    throw_errno("socketpair");
  }
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

}  // namespace

ProtocolFixture::ProtocolFixture() = default;

ProtocolFixture::~ProtocolFixture() { stop(); }

void ProtocolFixture::serve(const Served& served) {
  ::signal(SIGPIPE, SIG_IGN);  // a session answers at a socket that its test has closed
  status_ = std::make_shared<Status>(made.store);
  layers_ = std::make_shared<LayerCache>(made.store, LayerCache::Limits{});
  tree_.emplace(made.store, tree_options());
  refresher_.emplace(made.store, *tree_, [this](const auto& changes) { tell(changes); });
  imports_.emplace(made.store, importer::Limits{}, status_, [this] { refresher_->refresh(); });
  if (!served.read_only) {
    ingest_.emplace(Ingest::Options{.uid = ::geteuid(), .gid = ::getegid()}, ingest_hooks());
  }
  Ingest* const ingest = ingest_ ? &*ingest_ : nullptr;
  mount_ = std::make_unique<Mount>(std::make_shared<const MountRoot>(tree_->root(), ingest), ingest,
                                   *refresher_, made.store->directory_fd(), served.read_only);
  session_.emplace(std::vector<std::string>(), *mount_);
  auto [ours, theirs] = socket_pair();
  client.emplace(std::move(ours));
  // libfuse takes what is open there instead of mounting.
  session_->mount("/dev/fd/" + std::to_string(theirs.get()));
  (void)theirs.release();
  session_->start(served.threads);
}

void ProtocolFixture::start(const Served& served) {
  serve(served);
  BOOST_REQUIRE_EQUAL(client->call(call::init(kEverything)).errno_value, 0);
}

void ProtocolFixture::stop() {
  if (!session_) return;
  mount_->end_waiting();
  session_->stop();
  mount_->join_waiting();
  gate.open();
  if (ingest_) ingest_->stop();
  session_->disconnect();
  session_.reset();
}

TreeOptions ProtocolFixture::tree_options() {
  TreeOptions options = made.options();
  options.status = [status = status_] { return status->render(); };
  options.image_children = {image_tar_child(std::make_shared<OpenBlobs>(1000)),
                            rootfs_child(layers_)};
  return options;
}

Ingest::Hooks ProtocolFixture::ingest_hooks() {
  return {
      .import =
          [this](const Ingest::Arrival& arrival, importer::BytePipe& pipe) {
            gate.pass();
            return imports_->run({arrival.file, arrival.user, arrival.temporary}, pipe,
                                 [&](const importer::Importer& importer) {
                                   pipe.set_complete([&importer] { return importer.complete(); });
                                 });
          },
      .refuse = [this](
                    const Ingest::Arrival& arrival,
                    const Error& error) { imports_->refuse({arrival.file, arrival.user}, error); }};
}

void ProtocolFixture::tell(const Tree::Changes& changes) {
  for (const NodeId directory : changes.directories) session_->invalidate(directory);
}

Reply ProtocolFixture::look_up(std::string_view path) {
  NodeId parent = kRootNode;
  for (auto slash = path.find('/'); slash != std::string_view::npos; slash = path.find('/')) {
    const Reply reply = client->call(call::lookup(parent, path.substr(0, slash)));
    BOOST_REQUIRE_MESSAGE(reply.errno_value == 0, "no " << path.substr(0, slash));
    parent = reply.as<fuse_entry_out>().nodeid;
    path.remove_prefix(slash + 1);
  }
  return client->call(call::lookup(parent, path));
}

NodeId ProtocolFixture::find(std::string_view path) {
  const Reply reply = look_up(path);
  BOOST_REQUIRE_MESSAGE(reply.errno_value == 0, "no " << path);
  return reply.as<fuse_entry_out>().nodeid;
}

Bytes ProtocolFixture::read_file(NodeId node, std::uint32_t piece) {
  const Reply opened = client->call(call::open(node, O_RDONLY));
  BOOST_REQUIRE_EQUAL(opened.errno_value, 0);
  const std::uint64_t handle = opened.as<fuse_open_out>().fh;
  Bytes bytes;
  for (bool more = true; more;) {
    const Reply read = client->call(call::read(node, handle, bytes.size(), piece));
    BOOST_REQUIRE_EQUAL(read.errno_value, 0);
    bytes += read.body;
    more = !read.body.empty();
  }
  BOOST_TEST(client->call(call::release(node, handle)).errno_value == 0);
  return bytes;
}

ProtocolFixture::Created ProtocolFixture::create(std::string_view name) {
  const Reply reply = client->call(call::create(find("ingest"), name, O_CREAT | O_EXCL | O_WRONLY));
  BOOST_REQUIRE_EQUAL(reply.errno_value, 0);
  return {.node = reply.as<fuse_entry_out>().nodeid,
          .handle = value_of<fuse_open_out>(reply.body.substr(sizeof(fuse_entry_out))).fh};
}

int ProtocolFixture::copy(std::string_view name, std::string_view archive) {
  const Created file = create(name);
  (void)client->call(call::write(file.node, file.handle, 0, archive));
  const int verdict = client->call(call::flush(file.node, file.handle)).errno_value;
  BOOST_TEST(client->call(call::release(file.node, file.handle)).errno_value == 0);
  return verdict;
}

std::string archive_of(const std::string& data, const std::string& name) {
  return archive_of_layer(imagefs::tests::layer_with("base", data), name);
}

std::string archive_of_layer(const std::string& layer, const std::string& name) {
  using namespace imagefs::tests;
  return LayerWriter()
      .file("base.tar", layer)
      .file("config.json", config_for({layer}))
      .file("manifest.json",
            "[" + docker_entry("config.json", json_list({name}), {"base.tar"}) + "]")
      .str();
}

std::string damaged_archive() {
  using namespace imagefs::tests;
  const std::string layer = layer_with("base", "base");
  const std::string config = config_for({layer});
  const std::string manifest = oci_manifest(config, {layer});
  LayerWriter tar;
  for (const std::string& blob : {config, manifest}) tar.file("blobs/sha256/" + hex_of(blob), blob);
  return tar.file("blobs/sha256/" + hex_of(layer), layer_with("base", "bose"))
      .file("index.json", oci_index({descriptor_of(kOciManifestType, manifest)}))
      .file("oci-layout", R"({"imageLayoutVersion":"1.0.0"})")
      .str();
}

}  // namespace imagefs::fs::test
