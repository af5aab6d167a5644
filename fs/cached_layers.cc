#include "fs/cached_layers.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <limits>

#include "blobstore/error.h"
#include "blobstore/files.h"
#include "fs/layer_bytes.h"
#include "importer/cache_file.h"
#include "importer/layer_reader.h"

namespace imagefs::fs {
namespace {

using blobstore::Digest;

constexpr std::uint64_t kAnySize = std::numeric_limits<std::uint64_t>::max();

// Compares a layer's decoded bytes, as they come, with those of a file.
class Comparison {
 public:
  explicit Comparison(const CachedLayer& file) : file_(file) {}

  bool add(std::span<const std::byte> decoded) {
    differs_ = differs_ || !is_next(decoded);
    same_ += decoded.size();
    return !differs_;
  }
  [[nodiscard]] bool differs() const { return differs_ || same_ != file_.size; }

 private:
  bool is_next(std::span<const std::byte> decoded) {
    if (decoded.size() > file_.size - same_) return false;
    buffer_.resize(std::max(buffer_.size(), decoded.size()));
    const auto stored = std::span(buffer_).first(decoded.size());
    try {
      read_fully(file_.fd.get(), stored, same_);
    } catch (const Error&) {
      return false;
    }
    return std::ranges::equal(decoded, stored);
  }

  const CachedLayer& file_;
  std::vector<std::byte> buffer_;
  std::uint64_t same_ = 0;
  bool differs_ = false;
};

bool is_damaged(const blobstore::Store& store, const Digest& layer, const CachedLayer& file) {
  Comparison comparison(file);
  try {
    const auto blob = store.open_blob(layer);
    if (!blob) return false;
    (void)importer::read_layer(blob->get(), kAnySize,
                               [&](auto decoded) { return comparison.add(decoded); });
  } catch (const Error& error) {
    const bool of_the_blob = error.errno_value() == EIO || error.errno_value() == EBADMSG;
    if (!of_the_blob) throw;
    return false;
  }
  return comparison.differs();
}

}  // namespace

std::optional<CachedLayer> open_cached_layer(int directory_fd, const Digest& layer) {
  UniqueFd fd(
      ::openat(directory_fd, layer.hex().c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat status{};
  if (!fd || ::fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  return CachedLayer{std::move(fd), static_cast<std::uint64_t>(status.st_size)};
}

std::vector<Digest> remove_damaged_cached_layers(const blobstore::Store& store) {
  std::vector<Digest> damaged;
  const UniqueFd directory = importer::find_cache(store.directory_fd(), kCachedLayers);
  if (!directory) return damaged;
  for (const Digest& layer : store.blobs()) {
    const auto file = open_cached_layer(directory.get(), layer);
    if (!file || !is_damaged(store, layer, *file)) continue;
    if (!store.read_only()) blobstore::remove_file(directory.get(), layer.hex());
    damaged.push_back(layer);
  }
  return damaged;
}

}  // namespace imagefs::fs
