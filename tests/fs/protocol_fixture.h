// All that a mount consists of, but for the mount: a store with images, what serves it, and a
// client in the kernel's place. Imports are real ones.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "fs/fuse_session.h"
#include "fs/import_service.h"
#include "fs/ingest.h"
#include "fs/layer_cache.h"
#include "fs/refresher.h"
#include "fs/status.h"
#include "fs/tree.h"
#include "tests/fs/fuse_client.h"
#include "tests/fs/tree_fixture.h"

namespace imagefs::fs::test {

inline constexpr NodeId kRootNode = 1;

// Archives that begin to arrive while it is shut wait at their first byte.
class Gate {
 public:
  void shut() { set(false); }
  void open() { set(true); }
  void pass() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return open_; });
  }

 private:
  void set(bool open) {
    const std::lock_guard lock(mutex_);
    open_ = open;
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = true;
};

// Images that are made before it serves are there from the beginning.
class ProtocolFixture {
 public:
  ProtocolFixture();
  ProtocolFixture(const ProtocolFixture&) = delete;
  ProtocolFixture& operator=(const ProtocolFixture&) = delete;
  ~ProtocolFixture();  // stop()

  struct Served {
    bool read_only = false;
    unsigned threads = 1;  // with more, a request may overtake the one before it
  };
  // Serves, without an INIT.
  void serve(const Served& served);
  void serve() { serve({}); }
  // The same, and INIT of a kernel that offers all that it can.
  void start(const Served& served);
  void start() { start({}); }
  // Ends as an unmounted daemon does; twice is once.
  void stop();
  // Readable when the session has ended by itself.
  [[nodiscard]] int ended_fd() const { return session_->ended_fd(); }

  // The node that a path from the root leads to; each component is looked up. Fails the test when
  // there is none.
  NodeId find(std::string_view path);
  // The lookup of the last component.
  Reply look_up(std::string_view path);
  // All of a file: opened, read in pieces of `piece` bytes, closed.
  Bytes read_file(NodeId node, std::uint32_t piece = 4096);

  // A file of ingest/ that has just been created.
  struct Created {
    NodeId node;
    std::uint64_t handle;
  };
  Created create(std::string_view name);
  // What cp does with an archive; the errno of its close.
  int copy(std::string_view name, std::string_view archive);

  imagefs::tests::TreeFixture made;
  Gate gate;
  std::optional<FuseClient> client;

 private:
  [[nodiscard]] TreeOptions tree_options();
  [[nodiscard]] Ingest::Hooks ingest_hooks();
  void tell(const Tree::Changes& changes);

  std::shared_ptr<Status> status_;
  std::shared_ptr<LayerCache> layers_;
  std::optional<Tree> tree_;
  std::optional<FuseSession> session_;
  std::optional<Refresher> refresher_;
  std::optional<ImportService> imports_;
  std::optional<Ingest> ingest_;
  std::unique_ptr<Mount> mount_;
};

// A Docker archive of one image, "busybox:1.36" unless it is said, with the file "base" in its one
// layer.
[[nodiscard]] std::string archive_of(const std::string& data,
                                     const std::string& name = "busybox:1.36");
[[nodiscard]] std::string archive_of_layer(const std::string& layer,
                                           const std::string& name = "busybox:1.36");
// An OCI archive whose layer is not what its name says.
[[nodiscard]] std::string damaged_archive();

}  // namespace imagefs::fs::test
