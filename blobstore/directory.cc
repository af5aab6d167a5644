#include "blobstore/directory.h"

#include <fcntl.h>
#include <sys/file.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cerrno>
#include <utility>

#include "blobstore/error.h"
#include "blobstore/files.h"
#include "blobstore/index.h"
#include "blobstore/json.h"

namespace imagefs::blobstore {
namespace {

constexpr const char* kLayoutFile = "oci-layout";
constexpr const char* kLayoutVersion = "1.0.0";
constexpr std::uint64_t kMaxLayoutFile = 64 << 10;

// Makes those directories of the path that are absent. ext4 and xfs have them on disk as soon as
// the store is synced; others promise it only of a directory whose parent was synced.
std::error_code make_directories(const std::filesystem::path& path) {
  std::error_code code;
  std::vector<std::filesystem::path> made;
  for (auto at = std::filesystem::absolute(path, code);
       !at.empty() && !std::filesystem::exists(at, code); at = at.parent_path()) {
    made.push_back(at);
  }
  std::filesystem::create_directories(path, code);
  for (const auto& directory : made) {
    const UniqueFd parent(
        ::open(directory.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (parent) (void)::fsync(parent.get());
  }
  return code;
}

UniqueFd open_root(const std::filesystem::path& path, Access access) {
  if (access == Access::read_write) {
    const std::error_code code = make_directories(path);
    if (code && code != std::errc::file_exists && code != std::errc::not_a_directory) {
      throw Error(code.value(), "cannot make " + path.string() + ": " + code.message());
    }
  }
  UniqueFd root(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!root) throw_errno("cannot open the store " + path.string());
  if (access != Access::read_only && ::faccessat(root.get(), ".", W_OK, AT_EACCESS) != 0) {
    throw_errno("cannot write to the store " + path.string());
  }
  return root;
}

void check_layout_file(int fd, const std::filesystem::path& path) {
  const std::string what = (path / kLayoutFile).string();
  const boost::json::value value = json::parse(read_all(fd, kMaxLayoutFile, what), what);
  const auto version = json::find_string(json::as_object(value, what), "imageLayoutVersion", what);
  if (version != kLayoutVersion) {
    throw Error(EINVAL, what + ": imageLayoutVersion is \"" + version.value_or("") + "\", not \"" +
                            kLayoutVersion + "\"");
  }
}

// Whether nothing is there but what an interrupted making of a layout leaves.
bool is_unused(int root) {
  const auto names = names_in(root, "the store");
  return std::all_of(names.begin(), names.end(), [](const std::string& name) {
    return name == "lock" || name == "lost+found" || name == temporary_name(kLayoutFile);
  });
}

// The file that makes it a layout comes first: without index.json a layout has no images.
void make_layout(int root) {
  const StoreLock lock(root);
  if (open_regular(root, kLayoutFile, kLayoutFile)) return;
  replace_file(root, kLayoutFile, R"({"imageLayoutVersion":"1.0.0"})");
  replace_file(root, "index.json", Index().bytes());
}

void open_blob_directories(Directory& directory) {
  const int root = directory.root.get();
  if (!directory.read_only) {
    directory.blobs = make_directory(root, "blobs", "blobs/");
    directory.sha256 = make_directory(directory.blobs.get(), "sha256", "blobs/sha256/");
    return;
  }
  if (auto blobs = open_directory(root, "blobs", "blobs/")) directory.blobs = *std::move(blobs);
  if (!directory.blobs) return;
  if (auto sha256 = open_directory(directory.blobs.get(), "sha256", "blobs/sha256/")) {
    directory.sha256 = *std::move(sha256);
  }
}

}  // namespace

void Directory::require_writable() const {
  if (read_only) throw Error(EROFS, "the store " + path.string() + " is opened read-only");
}

Directory::Directory(std::filesystem::path where, Access access)
    : path(std::move(where)),
      read_only(access == Access::read_only),
      root(open_root(path, access)) {
  // Another process may make it at the same time: whether it is there is seen after that.
  if (access == Access::read_write && is_unused(root.get())) make_layout(root.get());
  const auto layout = open_regular(root.get(), kLayoutFile, (path / kLayoutFile).string());
  if (!layout) {
    throw Error(EINVAL, path.string() + " is no OCI image layout: it has no oci-layout file");
  }
  check_layout_file(layout->get(), path);
  open_blob_directories(*this);
}

StoreLock::StoreLock(int root)
    : fd_(::openat(root, "lock", O_RDONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600)) {
  if (!fd_) throw_errno("cannot open the store's lock");
  while (::flock(fd_.get(), LOCK_EX) != 0) {
    if (errno != EINTR) throw_errno("cannot lock the store");
  }
}

}  // namespace imagefs::blobstore
