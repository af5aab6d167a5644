#include "fs/mount_root.h"

namespace imagefs::fs {
namespace {

constexpr std::string_view kIngest = "ingest";
constexpr std::uint64_t kAfterIngest = 1ULL << 62;  // more than the tree's own root ever gives
constexpr mode_t kWritable = 01222;

}  // namespace

struct stat MountRoot::attributes() const {
  struct stat result = tree_->attributes();
  if (ingest_ == nullptr) return result;
  result.st_mode |= ingest_->mode() & kWritable;
  ++result.st_nlink;
  return result;
}

NodePtr MountRoot::lookup(std::string_view name) const {
  if (NodePtr node = tree_->lookup(name)) return node;
  if (ingest_ == nullptr) return nullptr;
  return name == kIngest ? ingest_->directory() : ingest_->lookup(name);
}

bool MountRoot::is_taken(std::string_view name) const {
  return name == kIngest || tree_->lookup(name) != nullptr;
}

void MountRoot::list(std::uint64_t offset,
                     const std::function<bool(const ListedName&)>& visit) const {
  bool wanted = offset < kAfterIngest;
  if (!wanted) return;
  tree_->list(offset, [&](const ListedName& name) { return wanted = visit(name); });
  if (!wanted || ingest_ == nullptr) return;
  visit({.name = kIngest, .id = ingest_->directory()->id(), .type = S_IFDIR, .next = kAfterIngest});
}

}  // namespace imagefs::fs
