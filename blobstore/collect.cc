#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <set>
#include <unordered_set>

#include "blobstore/blob_files.h"
#include "blobstore/error.h"
#include "blobstore/files.h"
#include "blobstore/intent.h"
#include "blobstore/retention.h"
#include "blobstore/store.h"
#include "blobstore/store_state.h"
#include "blobstore/temporary_file.h"

namespace imagefs::blobstore {
namespace {

constexpr std::size_t kHexLength = 2 * Digest::kSize;

// In whole seconds. Nothing for what is no time like "2026-11-28T20:04:05.678Z".
std::optional<std::time_t> parse_time(const std::string& text) {
  std::tm fields{};
  const char* rest = ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &fields);
  if (!rest) return std::nullopt;
  if (*rest == '.') rest += 1 + std::strspn(rest + 1, "0123456789");
  if (std::strcmp(rest, "Z") != 0) return std::nullopt;
  return ::timegm(&fields);
}

// Other tools' untagged entries have neither time, and stay.
bool is_expired(const Image& image, std::time_t latest) {
  if (image.name) return false;
  const auto since = parse_time(image.superseded.empty() ? image.imported : image.superseded);
  return since && *since <= latest;
}

std::uint64_t remove_images(Index& index, const std::vector<Image>& images) {
  return static_cast<std::uint64_t>(std::ranges::count_if(images, [&](const Image& image) {
    return index.remove_own_untagged(image.descriptor.digest);
  }));
}

// The size of a blob's file when it was neither written nor linked after `latest`.
std::optional<std::uint64_t> old_blob_size(int directory, const std::string& name,
                                           std::time_t latest) {
  struct stat status{};
  if (::fstatat(directory, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) return std::nullopt;
  const bool is_old = std::max(status.st_mtim.tv_sec, status.st_ctim.tv_sec) <= latest;
  if (!S_ISREG(status.st_mode) || !is_old) return std::nullopt;
  return static_cast<std::uint64_t>(status.st_size);
}

void remove_unreferenced(const Directory& directory, const std::unordered_set<Digest>& kept,
                         std::time_t latest, Store::Collected& collected) {
  for (const Digest& digest : list_blobs(directory)) {
    if (kept.contains(digest)) continue;
    const auto size = old_blob_size(directory.sha256.get(), digest.hex(), latest);
    if (!size || !remove_file(directory.sha256.get(), digest.hex())) continue;
    ++collected.blobs;
    collected.bytes += *size;
  }
  if (collected.blobs > 0) sync(directory.sha256.get(), "blobs/sha256/");
}

bool exists(int directory, const std::string& name) {
  struct stat status{};
  return ::fstatat(directory, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT;
}

// Removes the files whose names begin with the hex digits of a blob that is gone, and those that
// were to get such a name when their maker died.
void clean_cache_directory(const Directory& directory, int cache) {
  sweep_named_files(cache);
  for (const std::string& name : names_in(cache, "cache/")) {
    const auto digest = Digest::from_hex(std::string_view(name).substr(0, kHexLength));
    if (!digest || exists(directory.sha256.get(), digest->hex())) continue;
    struct stat status{};
    if (::fstatat(cache, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) continue;
    if (!S_ISDIR(status.st_mode)) remove_file(cache, name);
  }
}

bool is_directory(int parent, const std::string& name) {
  struct stat status{};
  return ::fstatat(parent, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 &&
         S_ISDIR(status.st_mode);
}

void clean_cache(const Directory& directory) {
  const auto cache = open_directory(directory.root.get(), "cache", "cache/");
  if (!cache) return;
  clean_cache_directory(directory, cache->get());
  for (const std::string& name : names_in(cache->get(), "cache/")) {
    if (!is_directory(cache->get(), name)) continue;
    const auto nested = open_directory(cache->get(), name, "cache/" + name);
    if (nested) clean_cache_directory(directory, nested->get());
  }
}

void clean_marks(const Directory& directory) {
  const std::set<Digest> marked = directory.marks.all(directory.root.get());
  std::set<Digest> standing = marked;
  std::erase_if(standing, [&](const Digest& digest) {
    return !exists(directory.sha256.get(), digest.hex());
  });
  if (standing != marked) directory.marks.replace(directory.root.get(), standing, false);
}

}  // namespace

Store::Collected Store::collect(std::chrono::seconds older_than,
                                std::chrono::seconds unreferenced_age) {
  const Directory& directory = state_->directory;
  directory.require_writable();
  const StoreLock lock(directory.root.get());
  settle_intent(directory);
  const std::time_t now = std::time(nullptr);

  Collected collected;
  Index index = blobstore::read_index(directory);
  const Retained retained = retain(directory, index, [&](const Image& image) {
    return is_expired(image, now - older_than.count());
  });
  collected.images = remove_images(index, retained.gone);
  if (collected.images > 0) replace_file(directory.root.get(), "index.json", index.bytes());
  remove_unreferenced(directory, retained.blobs, now - unreferenced_age.count(), collected);
  sweep_named_files(directory.blobs.get());
  clean_cache(directory);
  clean_marks(directory);
  return collected;
}

}  // namespace imagefs::blobstore
