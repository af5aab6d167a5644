// What the archive of an image consists of, stretch by stretch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "blobstore/descriptor.h"
#include "fs/image_child.h"

namespace imagefs::fs {

class ImageTarLayout {
 public:
  using BlobNumber = std::size_t;  // in blobs()
  struct Segment {
    std::uint64_t end;  // offset in the archive of the byte after it
    std::variant<std::string, BlobNumber> source;
  };

  // Reads the image's documents. What may be absent, and is, is left out; of all else the
  // descriptors tell the size, whether it is there or not. Throws Error when a document is damaged.
  explicit ImageTarLayout(const ImageContext& image);

  [[nodiscard]] const std::vector<Segment>& segments() const { return segments_; }
  [[nodiscard]] const std::vector<blobstore::Descriptor>& blobs() const { return blobs_; }
  [[nodiscard]] std::uint64_t size() const { return size_; }

 private:
  void add_bytes(std::string bytes);
  void add_file(std::string_view name, const std::string& bytes);
  void add_blob(const blobstore::Descriptor& blob);

  std::vector<Segment> segments_;
  std::vector<blobstore::Descriptor> blobs_;
  std::uint64_t size_ = 0;
};

}  // namespace imagefs::fs
