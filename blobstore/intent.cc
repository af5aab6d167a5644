#include "blobstore/intent.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <sstream>
#include <string>

#include "blobstore/blob_files.h"
#include "blobstore/error.h"
#include "blobstore/files.h"
#include "blobstore/retention.h"

namespace imagefs::blobstore {
namespace {

constexpr const char* kIntent = "intent";
constexpr std::uint64_t kMaxIntent = 64 << 20;

std::vector<Digest> read_intent(int fd) {
  std::vector<Digest> digests;
  std::istringstream lines(read_all(fd, kMaxIntent, kIntent));
  for (std::string line; std::getline(lines, line);) {
    if (const auto digest = Digest::parse(line)) digests.push_back(*digest);
  }
  return digests;
}

bool exists(int directory, const std::string& name) {
  struct stat status{};
  return ::fstatat(directory, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
}

std::vector<std::string> replacements(const Directory& directory) {
  auto names = names_in(directory.blobs.get(), "blobs/");
  std::erase_if(names,
                [](const std::string& name) { return !name.starts_with(kReplacementPrefix); });
  return names;
}

void remove_unreferenced(const Directory& directory, const std::vector<Digest>& digests) {
  const Retained retained =
      retain(directory, read_index(directory), [](const Image&) { return false; });
  for (const Digest& digest : digests) {
    if (!retained.blobs.contains(digest)) remove_file(directory.sha256.get(), digest.hex());
  }
  sync(directory.sha256.get(), "blobs/sha256/");
}

}  // namespace

void write_intent(const Directory& directory, const std::vector<Digest>& digests) {
  std::string text;
  for (const Digest& digest : digests) text += digest.str() + "\n";
  replace_file(directory.root.get(), kIntent, text);
}

void remove_intent(const Directory& directory) { remove_file(directory.root.get(), kIntent); }

void settle_intent(const Directory& directory) {
  const int root = directory.root.get();
  remove_file(root, temporary_name("index.json"));
  remove_file(root, temporary_name(kIntent));
  for (const std::string& name : replacements(directory)) remove_file(directory.blobs.get(), name);
  const auto intent = open_regular(root, kIntent, kIntent);
  if (!intent) return;
  // Whoever was killed may have renamed an index that is not on disk yet.
  sync(root, "the store");
  try {
    remove_unreferenced(directory, read_intent(intent->get()));
  } catch (const Error&) {
    return;
  }
  remove_intent(directory);
}

bool is_unsettled(const Directory& directory) {
  const int root = directory.root.get();
  return exists(root, kIntent) || exists(root, temporary_name(kIntent)) ||
         exists(root, temporary_name("index.json")) || !replacements(directory).empty();
}

}  // namespace imagefs::blobstore
