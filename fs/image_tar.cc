#include "fs/image_tar.h"

#include <algorithm>
#include <boost/json.hpp>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <set>
#include <utility>
#include <variant>

#include "blobstore/descriptor_json.h"
#include "blobstore/documents.h"
#include "blobstore/error.h"
#include "fs/attributes.h"
#include "fs/blob_node.h"
#include "importer/tar_header.h"

namespace imagefs::fs {
namespace {

using blobstore::Descriptor;
using blobstore::Digest;
using blobstore::Store;

using importer::tar_header;
using importer::TarType;

// A stretch of the archive: bytes of its own, or a blob's.
struct Segment {
  std::uint64_t end;  // offset in the archive of the byte after it
  std::variant<std::string, Digest> source;
};

// What the archive consists of.
class Layout {
 public:
  void add_bytes(std::string bytes) {
    size_ += bytes.size();
    segments_.push_back({size_, std::move(bytes)});
  }
  void add_blob(const Digest& digest, std::uint64_t size) {
    size_ += size;
    segments_.push_back({size_, digest});
  }

  [[nodiscard]] const std::vector<Segment>& segments() const { return segments_; }
  [[nodiscard]] std::uint64_t size() const { return size_; }

 private:
  std::vector<Segment> segments_;
  std::uint64_t size_ = 0;
};
using LayoutPtr = std::shared_ptr<const Layout>;

// The archive as one reader has it open.
class ImageTar final : public Content {
 public:
  ImageTar(std::shared_ptr<const Store> store, LayoutPtr layout)
      : store_(std::move(store)), layout_(std::move(layout)) {}

  std::size_t read(std::span<std::byte> into, std::uint64_t offset) const override {
    const std::vector<Segment>& segments = layout_->segments();
    std::size_t done = 0;
    auto segment = std::upper_bound(segments.begin(), segments.end(), offset,
                                    [](std::uint64_t at, const Segment& s) { return at < s.end; });
    for (; segment != segments.end() && done < into.size(); ++segment) {
      const std::uint64_t start = segment == segments.begin() ? 0 : std::prev(segment)->end;
      const std::uint64_t skip = offset + done - start;
      const auto count = static_cast<std::size_t>(
          std::min<std::uint64_t>(segment->end - start - skip, into.size() - done));
      read_segment(*segment, skip, into.subspan(done, count));
      done += count;
    }
    return done;
  }
  [[nodiscard]] std::uint64_t size() const override { return layout_->size(); }

 private:
  void read_segment(const Segment& segment, std::uint64_t skip, std::span<std::byte> into) const {
    if (const auto* bytes = std::get_if<std::string>(&segment.source)) {
      std::memcpy(into.data(), bytes->data() + skip, into.size());
      return;
    }
    const Digest& digest = std::get<Digest>(segment.source);
    if (open_blob(digest)->read(into, skip) != into.size())
      throw Error(EIO, "blob " + digest.str() + " is shorter than it was");
  }

  // A reader goes through one blob at a time: the last one stays open.
  ContentPtr open_blob(const Digest& digest) const {
    {
      const std::lock_guard lock(mutex_);
      if (last_ && last_->first == digest) return last_->second;
    }
    ContentPtr blob = open_blob_content(*store_, digest);
    const std::lock_guard lock(mutex_);
    last_.emplace(digest, blob);
    return blob;
  }

  const std::shared_ptr<const Store> store_;
  const LayoutPtr layout_;
  mutable std::mutex mutex_;
  mutable std::optional<std::pair<Digest, ContentPtr>> last_;
};

void add_file(Layout& tar, std::string_view name, const std::string& bytes) {
  tar.add_bytes(tar_header(name, TarType::file, bytes.size()) + bytes +
                importer::tar_padding(bytes.size()));
}

std::string blob_path(const Digest& digest) { return "blobs/sha256/" + digest.hex(); }

std::string index_json(const ImageContext& image) {
  boost::json::object descriptor{{"mediaType", image.descriptor.media_type},
                                 {"digest", image.descriptor.digest.str()},
                                 {"size", image.descriptor.size}};
  if (image.name) {
    descriptor["annotations"] = {{blobstore::kNameAnnotation, *image.name},
                                 {blobstore::kRefNameAnnotation, *image.name}};
  }
  if (image.descriptor.platform)
    descriptor["platform"] = blobstore::to_json(*image.descriptor.platform);
  return boost::json::serialize(
      boost::json::object{{"schemaVersion", 2},
                          {"mediaType", blobstore::media_type::kOciIndex},
                          {"manifests", boost::json::array{std::move(descriptor)}}});
}

// What docker load reads. A digest is no tag: an image that has only that is loaded without a name.
std::string manifest_json(const ImageContext& image) {
  boost::json::value tags = nullptr;
  if (image.name && image.name->find('@') == std::string::npos)
    tags = boost::json::array{boost::json::value(*image.name)};
  boost::json::array layers;
  for (const Descriptor& layer : image.manifest->layers)
    layers.emplace_back(blob_path(layer.digest));
  boost::json::object entry{{"Config", blob_path(image.manifest->config.digest)},
                            {"RepoTags", std::move(tags)},
                            {"Layers", std::move(layers)}};
  return boost::json::serialize(boost::json::array{boost::json::value(std::move(entry))});
}

void add_blobs(Layout& tar, const Store& store, const Descriptor& image) {
  std::set<Digest> added;
  for (const Descriptor& descriptor : store.referenced(image)) {
    if (!added.insert(descriptor.digest).second) continue;
    const auto held = store.hold(descriptor.digest);
    if (!held) continue;
    tar.add_bytes(tar_header(blob_path(descriptor.digest), TarType::file, held->size));
    tar.add_blob(descriptor.digest, held->size);
    tar.add_bytes(importer::tar_padding(held->size));
  }
}

LayoutPtr compose(const ImageContext& image) {
  auto tar = std::make_shared<Layout>();
  add_file(*tar, "oci-layout", R"({"imageLayoutVersion":"1.0.0"})");
  add_file(*tar, "index.json", index_json(image));
  if (image.manifest->is_image()) add_file(*tar, "manifest.json", manifest_json(image));
  tar->add_bytes(tar_header("blobs/", TarType::directory, 0) +
                 tar_header("blobs/sha256/", TarType::directory, 0));
  add_blobs(*tar, *image.store, image.descriptor);
  tar->add_bytes(importer::tar_end());
  return tar;
}

class ImageTarNode final : public Node {
 public:
  explicit ImageTarNode(const ImageContext& image) : store_(image.store), layout_(compose(image)) {
    // More blobs of an index may come later: then it is another archive, and another node.
    const NodeId id = make_node_id(
        {image.path, "image.tar", image.descriptor.digest.str(), std::to_string(layout_->size())});
    attributes_ = file_attributes(id, image.owner, layout_->size(), 0, image.imported);
  }
  [[nodiscard]] NodeId id() const override { return attributes_.st_ino; }
  [[nodiscard]] struct stat attributes() const override { return attributes_; }
  [[nodiscard]] Lifetime lifetime() const override { return Lifetime::fixed; }
  [[nodiscard]] ContentPtr open() const override {
    return std::make_shared<const ImageTar>(store_, layout_);
  }

 private:
  const std::shared_ptr<const Store> store_;
  const LayoutPtr layout_;
  struct stat attributes_ = {};
};

}  // namespace

NodePtr make_image_tar(const ImageContext& context) {
  return std::make_shared<ImageTarNode>(context);
}

}  // namespace imagefs::fs
