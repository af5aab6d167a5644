// A store with one image, and its rootfs/.
#pragma once

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "blobstore/store.h"
#include "fs/layer_cache.h"
#include "fs/rootfs.h"
#include "importer/layer_path.h"
#include "tests/support/compress.h"
#include "tests/support/temporary_directory.h"

namespace imagefs::fs::test {

inline std::string gzip(const std::string& bytes) {
  return imagefs::test::compress(importer::Compression::gzip, bytes);
}

inline const Patience endless = [] {};

class RootfsFixture {
 public:
  explicit RootfsFixture(const std::vector<std::string>& layers)
      : store_(blobstore::Store::open(directory_.path(), blobstore::Store::Access::read_write)) {
    auto manifest = std::make_shared<blobstore::Manifest>(
        blobstore::Manifest{.media_type = blobstore::media_type::kDockerManifest,
                            .config = descriptor("config"),
                            .layers = {},
                            .subject = {},
                            .artifact_type = {}});
    manifest->config.media_type = blobstore::media_type::kDockerConfig;
    for (const std::string& layer : layers) {
      manifest->layers.push_back(descriptor(layer));
      manifest->layers.back().media_type = blobstore::media_type::kDockerLayer;
      put(layer);
    }
    manifest_ = std::move(manifest);
    open();
  }

  // As a new mount would.
  void open(const LayerCache::Limits& limits = {}) {
    layers_ = std::make_shared<LayerCache>(store_, limits);
    child_ = rootfs_child(layers_);
  }

  // As a mount does when images are gone.
  void release() const { layers_->release(); }

  void open_read_only() {
    store_ = blobstore::Store::open(directory_.path(), blobstore::Store::Access::read_only);
    open();
  }

  [[nodiscard]] NodePtr root(const std::string& path = "images/docker.io/library/x:1") const {
    return child_.make({.store = store_,
                        .owner = {},
                        .path = path,
                        .name = {},
                        .descriptor = descriptor("manifest"),
                        .manifest_descriptor = descriptor("manifest"),
                        .manifest = manifest_,
                        .imported = {}});
  }
  // Indexed.
  [[nodiscard]] NodePtr open_root(const std::string& path = "images/docker.io/library/x:1") const {
    NodePtr node = root(path);
    node->await(endless);
    return node;
  }
  [[nodiscard]] NodePtr find(std::string_view path) const {
    NodePtr node = open_root();
    const importer::LayerPath clean = importer::clean_path(path);
    for (const std::string_view name : clean.components) {
      node = node ? node->lookup(name) : nullptr;
    }
    return node;
  }
  [[nodiscard]] NodePtr get(std::string_view path) const {
    NodePtr node = find(path);
    BOOST_REQUIRE_MESSAGE(node, "no " << path);
    return node;
  }
  [[nodiscard]] std::string read(std::string_view path) const { return bytes_of(*get(path)); }
  // Without Boost.Test's macros, which are for one thread.
  [[nodiscard]] static std::string bytes_of(const Node& file) {
    const ContentPtr content = file.open();
    std::string bytes(content->size() + 10, '?');
    content->await(0, bytes.size(), endless);
    bytes.resize(content->read(std::as_writable_bytes(std::span(bytes)), 0));
    return bytes;
  }
  [[nodiscard]] std::filesystem::path cache(const std::string& kind, std::size_t layer) const {
    return directory_.path() / "cache" / kind / manifest_->layers[layer].digest.hex();
  }
  [[nodiscard]] std::filesystem::path blob(std::size_t layer) const {
    return directory_.path() / "blobs" / "sha256" / manifest_->layers[layer].digest.hex();
  }

 private:
  static blobstore::Descriptor descriptor(const std::string& bytes) {
    return {.media_type = "", .digest = blobstore::sha256(bytes), .size = bytes.size()};
  }
  void put(const std::string& bytes) {
    blobstore::Writer writer = store_->write_blob();
    writer.append(std::as_bytes(std::span(bytes)));
    const blobstore::HeldBlob blob = writer.finish();
    store_->commit({&blob}, [](blobstore::Index&) {});
  }

  tests::TemporaryDirectory directory_;
  std::shared_ptr<blobstore::Store> store_;
  std::shared_ptr<const blobstore::Manifest> manifest_;
  std::shared_ptr<LayerCache> layers_;
  ImageChild child_;
};

}  // namespace imagefs::fs::test
