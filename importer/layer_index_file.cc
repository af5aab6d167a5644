#include "importer/layer_index_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "importer/layer_index_builder.h"
#include "importer/layer_reader.h"
#include "importer/layer_tar.h"

namespace imagefs::importer {
namespace {

constexpr const char* kDirectory = "index";  // of cache/

}  // namespace

std::shared_ptr<const LayerIndex> open_layer_index(int store_fd, const blobstore::Digest& layer) {
  const UniqueFd directory = find_cache(store_fd, kDirectory);
  if (!directory) return nullptr;
  const UniqueFd file(
      openat(directory.get(), layer.hex().c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  return file ? LayerIndex::open(file.get()) : nullptr;
}

std::optional<std::uint64_t> layer_index_size(int store_fd, const blobstore::Digest& layer) {
  const UniqueFd directory = find_cache(store_fd, kDirectory);
  struct stat status{};
  if (!directory ||
      ::fstatat(directory.get(), layer.hex().c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
    return std::nullopt;
  }
  return static_cast<std::uint64_t>(status.st_size);
}

UniqueFd open_index_directory(int store_fd) { return open_cache(store_fd, kDirectory); }

RebuiltIndex rebuild_layer_index(int directory_fd, int blob_fd, std::uint64_t max_layer,
                                 const std::function<void()>& check, std::uint64_t min_free) {
  LayerIndexBuilder builder(directory_fd, directory_fd < 0 ? 0 : min_free);
  LayerTar tar([&](const LayerEntry& entry) { builder.add(entry); });
  const std::uint64_t size = read_layer(blob_fd, max_layer, [&](std::span<const std::byte> bytes) {
    check();
    tar.append(bytes);
    return true;
  });
  tar.finish();
  return {builder.finish(size), builder.notes()};
}

}  // namespace imagefs::importer
