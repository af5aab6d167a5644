#include "blobstore/blob_files.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <span>

#include "blobstore/error.h"
#include "blobstore/files.h"

namespace imagefs::blobstore {
namespace {

constexpr std::size_t kReadStep = 1 << 20;

std::string called(const Digest& digest) { return "the blob " + digest.str(); }

}  // namespace

Digest hash_file(int fd, const std::string& what,
                 const std::function<void(off_t offset, std::size_t count)>& passed) {
  std::vector<std::byte> buffer(kReadStep);
  Sha256 hash;
  for (off_t offset = 0;;) {
    const ssize_t got = ::pread(fd, buffer.data(), buffer.size(), offset);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw_errno("cannot read " + what);
    if (got == 0) return hash.finish();
    const auto count = static_cast<std::size_t>(got);
    hash.update(std::span(buffer).first(count));
    passed(offset, count);
    offset += got;
  }
}

std::optional<UniqueFd> open_blob(const Directory& directory, const Digest& digest) {
  if (!directory.sha256) return std::nullopt;
  auto fd = open_regular(directory.sha256.get(), digest.hex(), called(digest));
  if (fd && directory.marks.contains(directory.root.get(), digest)) {
    throw Error(EIO, called(digest) + " is damaged");
  }
  return fd;
}

std::optional<std::string> read_blob(const Directory& directory, const Digest& digest,
                                     std::uint64_t limit) {
  const auto fd = open_blob(directory, digest);
  if (!fd) return std::nullopt;
  std::string bytes = read_all(fd->get(), limit, called(digest));
  if (sha256(bytes) != digest) {
    throw Error(EIO, called(digest) + " is damaged: its bytes hash to " + sha256(bytes).str());
  }
  return bytes;
}

std::vector<Digest> list_blobs(const Directory& directory) {
  std::vector<Digest> digests;
  if (!directory.sha256) return digests;
  for (const std::string& name : names_in(directory.sha256.get(), "blobs/sha256/")) {
    if (const auto digest = Digest::from_hex(name)) digests.push_back(*digest);
  }
  std::sort(digests.begin(), digests.end());
  return digests;
}

std::optional<std::string> read_index_file(const Directory& directory) {
  const auto fd = open_regular(directory.root.get(), "index.json", "index.json");
  if (!fd) return std::nullopt;
  return read_all(fd->get(), kMaxIndexFile, "index.json");
}

Index read_index(const Directory& directory) {
  const auto bytes = read_index_file(directory);
  return bytes ? Index(*bytes) : Index();
}

std::optional<std::uint64_t> blob_size(const Directory& directory, const Digest& digest) {
  if (!directory.sha256) return std::nullopt;
  const auto status = find_status(directory.sha256.get(), digest.hex(), called(digest));
  if (!status) return std::nullopt;
  if (!S_ISREG(status->st_mode)) throw Error(EIO, called(digest) + " is no regular file");
  return static_cast<std::uint64_t>(status->st_size);
}

}  // namespace imagefs::blobstore
