#include "fs/decoded_copies.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>

#include "blobstore/error.h"
#include "blobstore/files.h"
#include "fs/layer_bytes.h"
#include "importer/cache_file.h"
#include "importer/layer_reader.h"

namespace imagefs::fs {
namespace {

using blobstore::Digest;

bool decodes_to(int blob, int copy) {
  const auto size =
      static_cast<std::uint64_t>(blobstore::status_of(copy, "a decoded layer").st_size);
  std::vector<std::byte> buffer;
  std::uint64_t same = 0;
  (void)importer::read_layer(blob, size, [&](std::span<const std::byte> bytes) {
    buffer.resize(std::max(buffer.size(), bytes.size()));
    const auto stored = std::span(buffer).first(bytes.size());
    if (bytes.size() > size - same) return false;
    read_fully(copy, stored, same);
    if (!std::ranges::equal(bytes, stored)) return false;
    same += bytes.size();
    return true;
  });
  return same == size;
}

// Of a blob that is damaged itself nothing can be said.
bool is_damaged(const blobstore::Store& store, const Digest& layer, int copy) {
  const auto blob = store.open_blob(layer);
  if (!blob) return false;
  try {
    return !decodes_to(blob->get(), copy);
  } catch (const Error& error) {
    return error.errno_value() == EFBIG;
  }
}

}  // namespace

UniqueFd open_decoded_copy(int directory_fd, const Digest& layer) {
  UniqueFd file(
      ::openat(directory_fd, layer.hex().c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat status{};
  if (file && (::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode))) file.reset();
  return file;
}

std::vector<Digest> remove_damaged_copies(const blobstore::Store& store) {
  std::vector<Digest> damaged;
  const UniqueFd directory = importer::find_cache(store.directory_fd(), kDecodedCopies);
  if (!directory) return damaged;
  for (const Digest& layer : store.blobs()) {
    const UniqueFd copy = open_decoded_copy(directory.get(), layer);
    if (!copy || !is_damaged(store, layer, copy.get())) continue;
    if (!store.read_only()) blobstore::remove_file(directory.get(), layer.hex());
    damaged.push_back(layer);
  }
  return damaged;
}

}  // namespace imagefs::fs
