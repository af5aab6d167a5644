#include "fs/image_tar.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <optional>
#include <utility>
#include <variant>

#include "blobstore/documents.h"
#include "blobstore/error.h"
#include "fs/attributes.h"
#include "fs/blob_content.h"
#include "fs/blob_node.h"
#include "fs/image_tar_layout.h"
#include "fs/log.h"

namespace imagefs::fs {
namespace {

namespace media_type = blobstore::media_type;
using blobstore::Descriptor;
using blobstore::Store;

using LayoutPtr = std::shared_ptr<const ImageTarLayout>;

BlobFacts facts_of(const Descriptor& blob) {
  const bool is_config =
      blob.media_type == media_type::kOciConfig || blob.media_type == media_type::kDockerConfig;
  return {.digest = blob.digest,
          .size = blob.size,
          .media_type = blob.media_type,
          .is_small = is_config || blobstore::is_document(blob.media_type)};
}

// The archive as it is open.
class ImageTar final : public Content {
 public:
  // `held`: its blobs; null for one that is opened when it is read.
  ImageTar(std::shared_ptr<const Store> store, LayoutPtr layout, std::vector<ContentPtr> held)
      : store_(std::move(store)), layout_(std::move(layout)), held_(std::move(held)) {}

  std::size_t read(std::span<std::byte> into, std::uint64_t offset) const override {
    const auto& segments = layout_->segments();
    std::size_t done = 0;
    auto segment = std::ranges::upper_bound(segments, offset, {}, &ImageTarLayout::Segment::end);
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
  void read_segment(const ImageTarLayout::Segment& segment, std::uint64_t skip,
                    std::span<std::byte> into) const {
    if (const auto* bytes = std::get_if<std::string>(&segment.source)) {
      std::memcpy(into.data(), bytes->data() + skip, into.size());
      return;
    }
    const auto number = std::get<ImageTarLayout::BlobNumber>(segment.source);
    const ContentPtr blob = held_[number] ? held_[number] : open_blob(number);
    if (blob->read(into, skip) != into.size()) {
      throw Error(EIO, "blob " + layout_->blobs()[number].digest.str() + " is shorter than it was");
    }
  }

  // A reader goes through one blob at a time: the last one stays open.
  ContentPtr open_blob(ImageTarLayout::BlobNumber number) const {
    {
      const std::lock_guard lock(mutex_);
      if (last_ && last_->first == number) return last_->second;
    }
    ContentPtr blob = open_blob_content(*store_, facts_of(layout_->blobs()[number]));
    const std::lock_guard lock(mutex_);
    last_.emplace(number, blob);
    return blob;
  }

  const std::shared_ptr<const Store> store_;
  const LayoutPtr layout_;
  const std::vector<ContentPtr> held_;
  mutable std::mutex mutex_;
  mutable std::optional<std::pair<ImageTarLayout::BlobNumber, ContentPtr>> last_;
};

void log_failure(const ImageContext& image, const Error& error) {
  log(LOG_WARNING, image.path + "/image.tar cannot be read: " + error.sentence());
}

class ImageTarNode final : public Node {
 public:
  ImageTarNode(ImageContext image, std::shared_ptr<OpenBlobs> open)
      : image_(std::move(image)),
        open_(std::move(open)),
        layout_(std::make_shared<const ImageTarLayout>(image_)) {
    // More blobs of an index may come later: then it is another archive, and another node.
    const NodeId id = make_node_id({image_.path, "image.tar", image_.descriptor.digest.str(),
                                    std::to_string(layout_->size())});
    attributes_ = file_attributes(id, image_.owner, layout_->size(), 0, image_.imported);
  }
  [[nodiscard]] NodeId id() const override { return attributes_.st_ino; }
  [[nodiscard]] struct stat attributes() const override { return attributes_; }
  [[nodiscard]] Lifetime lifetime() const override { return Lifetime::fixed; }
  [[nodiscard]] ContentPtr open() const override {
    try {
      return std::make_shared<const ImageTar>(image_.store, layout_, hold_blobs());
    } catch (const Error& error) {
      log_failure(image_, error);
      throw;
    }
  }

 private:
  [[nodiscard]] std::vector<ContentPtr> hold_blobs() const {
    std::vector<ContentPtr> held;
    for (const Descriptor& blob : layout_->blobs()) {
      BlobContentPtr content = find_blob_content(*image_.store, facts_of(blob));
      if (!content) throw absent(blob);
      held.push_back(open_->hold(blob.digest, std::move(content)));
    }
    return held;
  }
  // A GC takes the manifest along.
  [[nodiscard]] Error absent(const Descriptor& blob) const {
    if (!stat_blob(*image_.store, image_.descriptor.digest)) {
      return {ESTALE, "its image is no longer in the store"};
    }
    return {EIO, "blob " + blob.digest.str() + " is missing"};
  }

  const ImageContext image_;
  const std::shared_ptr<OpenBlobs> open_;
  const LayoutPtr layout_;
  struct stat attributes_ = {};
};

// The archive of an image whose documents cannot be read: it has a name.
class UnreadableTarNode final : public Node {
 public:
  UnreadableTarNode(ImageContext image, const Error& error)
      : image_(std::move(image)), errno_value_(error.errno_value()), sentence_(error.sentence()) {}

  [[nodiscard]] NodeId id() const override {
    return make_node_id({image_.path, "image.tar", image_.descriptor.digest.str()});
  }
  [[nodiscard]] bool ready() const override { return false; }
  void await(const Patience& /*patience*/) const override {
    log_failure(image_, Error(errno_value_, sentence_));
    fail();
  }
  [[nodiscard]] struct stat attributes() const override { fail(); }
  [[nodiscard]] Lifetime lifetime() const override { return Lifetime::fixed; }
  [[nodiscard]] ContentPtr open() const override { fail(); }

 private:
  [[noreturn]] void fail() const { throw Error(errno_value_, sentence_); }

  const ImageContext image_;
  const int errno_value_;
  const std::string sentence_;
};

NodePtr make_image_tar(const ImageContext& image, const std::shared_ptr<OpenBlobs>& open) {
  try {
    return std::make_shared<ImageTarNode>(image, open);
  } catch (const Error& error) {
    return std::make_shared<UnreadableTarNode>(image, error);
  }
}

}  // namespace

ImageChild image_tar_child(std::shared_ptr<OpenBlobs> blobs) {
  return {"image.tar", S_IFREG, [blobs = std::move(blobs)](const ImageContext& image) {
            return make_image_tar(image, blobs);
          }};
}

}  // namespace imagefs::fs
