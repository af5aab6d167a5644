#include "fs/ingest_directory.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace imagefs::fs {

NodeId Ingest::Directory::id() const {
  static const NodeId id = make_node_id({"ingest"});
  return id;
}

struct stat Ingest::Directory::attributes() const {
  struct stat result{};
  result.st_ino = id();
  result.st_mode = S_IFDIR | ingest_.options_.mode;
  result.st_nlink = 2;
  result.st_uid = ingest_.options_.uid;
  result.st_gid = ingest_.options_.gid;
  result.st_blksize = 4096;
  const std::lock_guard lock(ingest_.mutex_);
  result.st_atim = result.st_mtim = result.st_ctim = ingest_.modified_;
  return result;
}

void Ingest::Directory::list(std::uint64_t offset,
                             const std::function<bool(const ListedName&)>& visit) const {
  std::vector<std::pair<NodeId, std::string>> names;
  for (const IngestFilePtr& file : ingest_.files()) {
    if (file->is_arriving()) names.emplace_back(file->id(), file->name());
  }
  for (const Refusals::Refusal& refusal : ingest_.refusals_.all()) {
    names.emplace_back(refusal.node->id(), refusal.name);
  }
  std::ranges::sort(names);
  // Ids only grow, so a listing that goes on later misses nothing that was there all the time.
  for (const auto& [id, name] : names) {
    const std::uint64_t next = id - kFirstId;
    if (next <= offset) continue;
    if (!visit({.name = name, .id = id, .type = S_IFREG, .next = next})) return;
  }
}

}  // namespace imagefs::fs
