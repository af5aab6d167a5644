#include "blobstore/damage_marks.h"

#include <fcntl.h>

#include <sstream>
#include <string>

#include "blobstore/files.h"

namespace imagefs::blobstore {
namespace {

constexpr const char* kPath = "cache/damaged";
constexpr const char* kName = "damaged";
constexpr std::uint64_t kMaxSize = 64 << 20;

std::set<Digest> read_marks(int root) {
  std::set<Digest> damaged;
  const auto cache = open_directory(root, "cache", "cache/");
  const auto file = cache ? open_regular(cache->get(), kName, kPath) : std::nullopt;
  if (!file) return damaged;
  std::istringstream lines(read_all(file->get(), kMaxSize, kPath));
  for (std::string line; std::getline(lines, line);) {
    if (const auto digest = Digest::parse(line)) damaged.insert(*digest);
  }
  return damaged;
}

}  // namespace

void DamageMarks::refresh(int root) {
  if (in_memory_) return;
  struct stat now{};
  if (::fstatat(root, kPath, &now, AT_SYMLINK_NOFOLLOW) != 0) now = {};
  if (same_file(now, seen_)) return;
  damaged_ = read_marks(root);
  seen_ = now;
}

bool DamageMarks::contains(int root, const Digest& digest) {
  const std::lock_guard lock(mutex_);
  refresh(root);
  return damaged_.contains(digest);
}

std::set<Digest> DamageMarks::all(int root) {
  const std::lock_guard lock(mutex_);
  refresh(root);
  return damaged_;
}

void DamageMarks::replace(int root, const std::set<Digest>& damaged, bool in_memory) {
  const std::lock_guard lock(mutex_);
  if (!in_memory) {
    const UniqueFd cache = make_directory(root, "cache", "cache/");
    std::string text;
    for (const Digest& digest : damaged) text += digest.str() + "\n";
    if (damaged.empty()) {
      remove_file(cache.get(), kName);
    } else {
      replace_file(cache.get(), kName, text);
    }
    seen_ = {};
  }
  damaged_ = damaged;
  in_memory_ = in_memory;
}

}  // namespace imagefs::blobstore
