#include "fs/layer_cache.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <list>
#include <optional>
#include <utility>

#include "blobstore/error.h"
#include "fs/cached_layers.h"
#include "fs/decoded_layer.h"
#include "fs/layer_eviction.h"
#include "fs/log.h"
#include "importer/layer_index_file.h"
#include "importer/layer_reader.h"

namespace imagefs::fs {
namespace {

using blobstore::Digest;

// A layer that was decoded before; nothing when it is not there, or not whole.
std::optional<UniqueFd> find_cached(int store_fd, const Digest& layer, std::uint64_t size) {
  const UniqueFd directory = importer::find_cache(store_fd, kCachedLayers);
  if (!directory) return std::nullopt;
  auto file = open_cached_layer(directory.get(), layer);
  if (!file || file->size != size) return std::nullopt;
  mark_used(file->fd.get());
  return std::move(file->fd);
}

}  // namespace

LayerCache::IndexPtr LayerCache::index(const Digest& layer, const Patience& patience) {
  if (IndexPtr found = find_index(layer)) return found;
  return maker_.make(layer, patience);
}

LayerCache::IndexPtr LayerCache::find_index(const Digest& layer) {
  if (IndexPtr open = find_open(layer)) return open;
  IndexPtr opened = importer::open_layer_index(store_->directory_fd(), layer);
  if (opened) keep(layer, opened);
  return opened;
}

LayerCache::IndexPtr LayerCache::make_index(const Digest& layer) {
  try {
    IndexPtr index = rebuild_index(layer);
    keep(layer, index);
    return index;
  } catch (const Error& error) {
    const std::string sentence = "layer " + layer.str() + ": " + error.sentence();
    log(LOG_WARNING, sentence);
    throw Error(error.errno_value(), sentence);
  }
}

LayerCache::IndexPtr LayerCache::rebuild_index(const Digest& layer) const {
  const UniqueFd blob = open_blob(layer);
  const UniqueFd directory =
      store_->read_only() ? UniqueFd() : importer::open_index_directory(store_->directory_fd());
  auto made = importer::rebuild_layer_index(
      directory ? directory.get() : -1, blob.get(), limits_.max_layer, [this] { check_wanted(); },
      limits_.min_free);
  for (const std::string& note : made.notes) log(LOG_NOTICE, layer.str() + ": " + note);
  if (directory) made.file.publish(directory.get(), layer.hex());
  IndexPtr index = importer::LayerIndex::open(made.file.fd());
  if (!index) throw Error(EIO, "an index that was just made is damaged");
  return index;
}

LayerCache::IndexPtr LayerCache::find_index(const Digest& layer, std::uint64_t& most) {
  if (IndexPtr open = find_open(layer)) return open;
  const auto size = importer::layer_index_size(store_->directory_fd(), layer);
  if (!size || *size > most) return nullptr;
  most -= *size;
  return find_index(layer);
}

LayerCache::IndexPtr LayerCache::find_open(const Digest& layer) {
  const std::lock_guard lock(mutex_);
  return indexes_.find(layer);
}

bool LayerCache::has_index(const Digest& layer) const {
  return importer::layer_index_size(store_->directory_fd(), layer).has_value();
}

void LayerCache::keep(const Digest& layer, const IndexPtr& index) {
  IndexPtr dropped;
  const std::lock_guard lock(mutex_);
  dropped = indexes_.insert(layer, index);
}

void LayerCache::check_wanted() const {
  if (ended_) throw Error(ECANCELED, "the mount is going away");
}

LayerBytesPtr LayerCache::bytes(const Digest& layer, std::uint64_t size) {
  {
    const std::lock_guard lock(mutex_);
    if (LayerBytesPtr known = bytes_.find(layer)) return known;
  }
  LayerBytesPtr opened = open_bytes(layer, size);
  LayerBytesPtr dropped;
  const std::lock_guard lock(mutex_);
  if (LayerBytesPtr known = bytes_.find(layer)) return known;
  dropped = bytes_.insert(layer, opened);
  return opened;
}

void LayerCache::release() {
  std::list<LayerBytesPtr> dropped;
  const std::lock_guard lock(mutex_);
  dropped = bytes_.release([](const LayerBytes& bytes) { return bytes.is_costly(); });
}

LayerBytesPtr LayerCache::open_bytes(const Digest& layer, std::uint64_t size) {
  UniqueFd blob = open_blob(layer);
  if (importer::compression_of(blob.get()) == importer::Compression::none) {
    return std::make_shared<PlainLayerBytes>(std::move(blob));
  }
  if (auto decoded = find_cached(store_->directory_fd(), layer, size)) {
    return std::make_shared<PlainLayerBytes>(std::move(*decoded));
  }
  UniqueFd directory = store_->read_only()
                           ? UniqueFd()
                           : importer::open_cache(store_->directory_fd(), kCachedLayers);
  return std::make_shared<DecodedLayer>(Decoding::Source{.blob = std::move(blob),
                                                         .size = size,
                                                         .directory = std::move(directory),
                                                         .layer = layer,
                                                         .room = room_,
                                                         .min_free = limits_.min_free},
                                        decoders_);
}

UniqueFd LayerCache::open_blob(const Digest& layer) const {
  auto blob = store_->open_blob(layer);
  if (!blob) throw Error(EIO, "layer " + layer.str() + " is not in the store");
  return std::move(*blob);
}

}  // namespace imagefs::fs
