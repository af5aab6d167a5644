#include "fs/tree.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <mutex>
#include <tuple>

#include "blobstore/error.h"
#include "fs/blob_node.h"
#include "fs/blobs_directory.h"
#include "fs/image_directory.h"
#include "fs/names_directory.h"
#include "fs/static_directory.h"
#include "fs/text_node.h"
#include "fs/tree_context.h"
#include "fs/view_changes.h"

namespace imagefs::fs {
namespace {

using blobstore::Store;

constexpr NodeId kRootId = 1;
constexpr std::uint64_t kDocumentCache = 4 << 20;  // bytes

std::optional<struct stat> stat_in_store(const Store& store, const char* name) {
  struct stat st = {};
  if (::fstatat(store.directory_fd(), name, &st, AT_SYMLINK_NOFOLLOW) != 0) return std::nullopt;
  return st;
}

timespec mtime_in_store(const Store& store, const char* name) {
  const auto st = stat_in_store(store, name);
  return st ? st->st_mtim : timespec{};
}

// Tells one state of index.json from another. Nothing: it is absent.
using Stamp = std::optional<std::tuple<ino_t, off_t, time_t, long, time_t, long>>;

Stamp stamp(const Store& store) {
  const auto st = stat_in_store(store, "index.json");
  if (!st) return std::nullopt;
  return std::tuple(st->st_ino, st->st_size, st->st_mtim.tv_sec, st->st_mtim.tv_nsec,
                    st->st_ctim.tv_sec, st->st_ctim.tv_nsec);
}

std::shared_ptr<const View> read_view(const Store& store) {
  const auto blob_time = [&store](const blobstore::Digest& digest) {
    const auto st = stat_blob(store, digest);
    return st ? st->st_mtim : timespec{};
  };
  return std::make_shared<const View>(store.read_index().images(), blob_time);
}

std::shared_ptr<const View> empty_view() {
  return std::make_shared<const View>(
      std::vector<blobstore::Image>(),
      [](const blobstore::Digest& /*digest*/) { return timespec{}; });
}

timespec now() {
  timespec time = {};
  ::clock_gettime(CLOCK_REALTIME, &time);
  return time;
}

NodePtr store_file(const std::shared_ptr<const Store>& store, const Owner& owner, const char* name,
                   std::function<std::string()> bytes) {
  auto facts = [store, name, bytes]() -> TextNode::Facts {
    const auto st = stat_in_store(*store, name);
    if (!st) return {.size = bytes().size(), .blocks = 0, .mtime = {}};
    return {.size = static_cast<std::uint64_t>(st->st_size),
            .blocks = static_cast<std::uint64_t>(st->st_blocks),
            .mtime = st->st_mtim};
  };
  return std::make_shared<TextNode>(make_node_id({name}), owner, std::move(facts),
                                    std::move(bytes));
}

NodePtr status_json(const Owner& owner, const std::function<std::string()>& render) {
  auto facts = [render]() -> TextNode::Facts {
    return {.size = render().size(), .blocks = 0, .mtime = now()};
  };
  return std::make_shared<TextNode>(make_node_id({".imagefs/status.json"}), owner, std::move(facts),
                                    render);
}

NodePtr make_root(const TreeContextPtr& context, const std::function<std::string()>& status) {
  const auto& store = context->store;
  const Owner& owner = context->owner;
  const auto directory = [&owner](NodeId id, std::vector<StaticDirectory::Entry> entries,
                                  std::function<timespec()> mtime) {
    return std::make_shared<StaticDirectory>(id, owner, std::move(entries), std::move(mtime));
  };
  const auto changed = [store] { return mtime_in_store(*store, "index.json"); };
  const auto blobs_changed = [store] { return mtime_in_store(*store, "blobs"); };
  const NodePtr blobs =
      directory(make_node_id({"blobs"}), {{"sha256", std::make_shared<BlobsDirectory>(context)}},
                blobs_changed);
  const NodePtr own =
      directory(make_node_id({".imagefs"}), {{"status.json", status_json(owner, status)}}, now);
  // The one imageLayoutVersion that a Store opens.
  const auto layout = [] { return std::string(R"({"imageLayoutVersion":"1.0.0"})"); };
  return directory(kRootId,
                   {{".imagefs", own},
                    {"blobs", blobs},
                    {"images", std::make_shared<NamesDirectory>(context, "images")},
                    {"index.json", store_file(store, owner, "index.json",
                                              [store] { return store->index_bytes(); })},
                    {"oci-layout", store_file(store, owner, "oci-layout", layout)}},
                   changed);
}

}  // namespace

struct Tree::State {
  State(std::shared_ptr<Store> opened, TreeOptions options)
      : store(std::move(opened)),
        context(std::make_shared<TreeContext>(store, Owner{options.uid, options.gid, options.umask},
                                              options.platform.normalised(),
                                              std::move(options.image_children), kDocumentCache)) {
    context->view.store(empty_view());
    root = make_root(context, options.status);
  }

  // Whether there is a new view now. Throws Error when index.json cannot be read.
  bool read() {
    const Stamp found = stamp(*store);
    if (known && *known == found) return false;
    context->view.store(read_view(*store));
    known = found;
    return true;
  }

  const std::shared_ptr<Store> store;
  const std::shared_ptr<TreeContext> context;
  NodePtr root;
  std::mutex reloading;        // guards what follows
  std::optional<Stamp> known;  // of the index.json that the view is made from
};

Tree::Tree(std::shared_ptr<Store> store, TreeOptions options)
    : state_(std::make_shared<State>(std::move(store), std::move(options))) {
  try {
    state_->read();
  } catch (const Error& error) {
    if (error.errno_value() != EBADMSG) throw;
  }
}

Tree::~Tree() = default;

NodePtr Tree::root() const { return state_->root; }

Tree::Changes Tree::reload() {
  const std::lock_guard lock(state_->reloading);
  const auto before = state_->context->view.load();
  try {
    if (!state_->read()) return {};
  } catch (const Error& error) {
    if (error.errno_value() != EBADMSG) throw;
    return {};
  }
  return compare(*before, *state_->context->view.load());
}

}  // namespace imagefs::fs
