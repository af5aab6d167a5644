#include "fs/session.h"

#include <malloc.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "blobstore/error.h"
#include "blobstore/store.h"
#include "fs/descriptor_limit.h"
#include "fs/drop_directory.h"
#include "fs/fuse_mount.h"
#include "fs/fuse_session.h"
#include "fs/image_tar.h"
#include "fs/import_service.h"
#include "fs/ingest.h"
#include "fs/layer_cache.h"
#include "fs/log.h"
#include "fs/open_blobs.h"
#include "fs/readahead.h"
#include "fs/refresher.h"
#include "fs/rootfs.h"
#include "fs/service_manager.h"
#include "fs/status.h"
#include "fs/stop_signals.h"
#include "fs/tree.h"
#include "fs/watch.h"

namespace imagefs::fs {
namespace {

using blobstore::Store;

constexpr unsigned kRequestThreads = 2;  // ten were slower
// Larger blocks go back to the system when they are freed; a fixed threshold does not grow.
constexpr int kMmapThreshold = 4 << 20;
constexpr mode_t kOwnDirectory = 0755;
constexpr mode_t kSharedDirectory = 01777;

std::shared_ptr<Store> open_store(const MountOptions& options) {
  if (options.read_only) return Store::open(options.store, Store::Access::read_only);
  try {
    return Store::open(options.store, Store::Access::read_write);
  } catch (const Error& error) {
    const int found = error.errno_value();
    if (found != EROFS && found != EACCES && found != EPERM) throw;
    return Store::open(options.store, Store::Access::read_only);
  }
}

// A value for -o: what separates options is escaped.
std::string escaped(const std::string& value) {
  std::string result;
  for (const char c : value) {
    if (c == ',' || c == '\\') result += '\\';
    result += c;
  }
  return result;
}

// libfuse does not know these, and they mean nothing here: reading changes no time.
bool is_about_times(const std::string& option) {
  static const std::set<std::string> known = {"nodiratime",  "relatime",      "norelatime",
                                              "strictatime", "nostrictatime", "lazytime",
                                              "nolazytime"};
  return known.contains(option);
}

std::vector<std::string> kernel_options(const MountOptions& options) {
  std::vector<std::string> result = options.kernel_options;
  std::erase_if(result, is_about_times);
  result.insert(result.end(), {"fsname=" + escaped(options.store.string()), "subtype=imagefs",
                               "nosuid", "nodev"});
  if (options.read_only) result.emplace_back("ro");
  if (options.allow_other) result.insert(result.end(), {"allow_other", "default_permissions"});
  return result;
}

Ingest::Options ingest_options(const MountOptions& options) {
  return {.uid = options.uid.value_or(::geteuid()),
          .gid = options.gid.value_or(::getegid()),
          .mode = options.allow_other ? kSharedDirectory : kOwnDirectory & ~options.umask,
          .max_imports = options.max_imports,
          .idle_timeout = std::chrono::seconds(options.idle_timeout)};
}

// All that one mount consists of. What comes later in it uses what stands before.
class Service {
 public:
  explicit Service(const MountOptions& options)
      : options_(options),
        store_(open_store(options)),
        status_(std::make_shared<Status>(store_)),
        layers_(std::make_shared<LayerCache>(
            store_, LayerCache::Limits{.max_layer = options.limits.max_layer,
                                       .min_free = options.limits.min_free})),
        open_blobs_(std::make_shared<OpenBlobs>(descriptor_limit() / 2)),
        tree_(store_, tree_options()),
        refresher_(store_, tree_, [this](const Tree::Changes& changes) { tell(changes); }),
        imports_(store_, options.limits, status_, [this] { refresher_.refresh(); }) {
    if (!store_->read_only()) ingest_.emplace(ingest_options(options), ingest_hooks());
    Ingest* const ingest = ingest_ ? &*ingest_ : nullptr;
    const auto root = std::make_shared<const MountRoot>(tree_.root(), ingest);
    mount_.emplace(root, ingest, refresher_, store_->directory_fd(), options.read_only);
    session_.emplace(kernel_options(options), *mount_);
  }

  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;
  ~Service() { end(); }

  // Until somebody unmounts, or a signal comes.
  void run(const StopSignals& signals, const std::function<void()>& ready) {
    session_->mount(options_.mountpoint);
    try {
      session_->start(kRequestThreads);
      serve(signals, ready);
    } catch (...) {
      session_->unmount();
      throw;
    }
  }

 private:
  void serve(const StopSignals& signals, const std::function<void()>& ready) {
    raise_readahead(options_.mountpoint);
    watch();
    import_dropped();
    ServiceManager manager(options_.mountpoint);
    ready();
    const bool mounted = signals.wait(session_->ended_fd());
    manager.stopping();
    if (mounted) session_->unmount();
    end();
  }

  TreeOptions tree_options() {
    return {.platform = options_.platform,
            .uid = options_.uid.value_or(::geteuid()),
            .gid = options_.gid.value_or(::getegid()),
            .umask = options_.umask,
            .status = [status = status_] { return status->render(); },
            .image_children = {image_tar_child(open_blobs_), rootfs_child(layers_)}};
  }

  Ingest::Hooks ingest_hooks() {
    return {.import =
                [this](const Ingest::Arrival& arrival, importer::BytePipe& pipe) {
                  return imports_.run(
                      {arrival.file, arrival.user, arrival.temporary}, pipe,
                      [&](const importer::Importer& importer) {
                        pipe.set_complete([&importer] { return importer.complete(); });
                      });
                },
            .refuse =
                [this](const Ingest::Arrival& arrival, const Error& error) {
                  imports_.refuse({arrival.file, arrival.user}, error);
                }};
  }

  void tell(const Tree::Changes& changes) {
    for (const NodeId directory : changes.directories) session_->invalidate(directory);
    session_->invalidate(tree_.root()->id());
    // Two commits within one tick of the store's clock leave the directory's time as it was.
    session_->invalidate(make_node_id({"blobs/sha256"}));
    // What is no image's any more may be removed, and is open no longer than it is read.
    mount_->unopened.release();
    layers_->release();
  }

  // Whoever waits gets an answer, and the kernel is told nothing more; then nothing new is begun,
  // what arrives gets its answer, and the kernel gives up the rest.
  void end() {
    mount_->end_waiting();
    watch_.reset();
    session_->stop();
    mount_->join_waiting();
    drop_.reset();
    if (ingest_) ingest_->stop();
    session_->disconnect();
  }

  void import_dropped() {
    if (!options_.drop) return;
    if (store_->read_only()) throw Error(EROFS, "drop=: the store cannot be written");
    drop_.emplace(*options_.drop, store_->directory_fd(),
                  [this](const std::string& file, uid_t user, importer::ByteSource& source) {
                    return imports_.run({file, user}, source, [](const importer::Importer&) {});
                  });
  }

  void watch() {
    try {
      watch_.emplace(*store_, [this] { refresher_.refresh(); });
    } catch (const Error& error) {
      log(LOG_WARNING, error.sentence() + ": changes by others are seen at the next lookup only");
    }
  }

  const MountOptions& options_;
  const std::shared_ptr<Store> store_;
  const std::shared_ptr<Status> status_;
  const std::shared_ptr<LayerCache> layers_;
  const std::shared_ptr<OpenBlobs> open_blobs_;  // the other descriptors are for imports
  Tree tree_;
  std::optional<FuseSession> session_;
  Refresher refresher_;
  ImportService imports_;
  std::optional<Ingest> ingest_;
  std::optional<Mount> mount_;
  std::optional<Watch> watch_;
  std::optional<DropDirectory> drop_;
};

}  // namespace

void serve(const MountOptions& options, const std::function<void()>& ready) {
  const StopSignals signals;
  ::mallopt(M_MMAP_THRESHOLD, kMmapThreshold);
  raise_descriptor_limit();
  Service service(options);
  service.run(signals, ready);
}

}  // namespace imagefs::fs
