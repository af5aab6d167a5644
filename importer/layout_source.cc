#include "importer/layout_source.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <tuple>
#include <utility>

#include "blobstore/digest.h"
#include "blobstore/error.h"
#include "blobstore/files.h"
#include "importer/tar_header.h"

namespace imagefs::importer {
namespace {

constexpr std::size_t kBlock = 1U << 20;

UniqueFd open_blobs(int root) {
  const auto blobs = blobstore::open_directory(root, "blobs", "blobs");
  if (!blobs) return {};
  auto sha256 = blobstore::open_directory(blobs->get(), "sha256", "blobs/sha256");
  return sha256 ? std::move(*sha256) : UniqueFd();
}

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

}  // namespace

LayoutSource::LayoutSource(UniqueFd directory)
    : root_(std::move(directory)), blobs_(open_blobs(root_.get())), buffer_(kBlock) {
  list(root_, "oci-layout", false);
  if (files_.empty()) throw Error(EINVAL, "a directory without oci-layout is no OCI image layout");
  list(root_, "index.json", false);
  if (blobs_) {
    for (const std::string& name : blobstore::names_in(blobs_.get(), "blobs/sha256")) {
      if (blobstore::Digest::from_hex(name)) list(blobs_, name, true);
    }
  }
  // Manifests are small: once they have been read, it is known what the large blobs are.
  std::sort(files_.begin(), files_.end(), [](const File& a, const File& b) {
    return std::tie(a.is_blob, a.size, a.name) < std::tie(b.is_blob, b.size, b.name);
  });
  size_ += tar_end().size();
}

void LayoutSource::list(const UniqueFd& directory, const std::string& name, bool is_blob) {
  const auto fd = blobstore::open_regular(directory.get(), name, name);
  if (!fd) return;
  const auto size = static_cast<std::uint64_t>(blobstore::status_of(fd->get(), name).st_size);
  files_.push_back({name, size, is_blob});
  size_ += kTarBlock + size + tar_padding_size(size);
}

std::string LayoutSource::path_of(const File& file) const {
  return (file.is_blob ? "blobs/sha256/" : "") + file.name;
}

std::span<const std::byte> LayoutSource::next() {
  if (left_ > 0) return read_file();
  if (begun_ < files_.size()) return begin_next_file();
  if (std::exchange(ended_, true)) return {};
  text_ = (begun_ == 0 ? "" : tar_padding(files_.back().size)) + tar_end();
  return bytes_of(text_);
}

std::span<const std::byte> LayoutSource::begin_next_file() {
  const File& file = files_[begun_];
  auto fd =
      blobstore::open_regular((file.is_blob ? blobs_ : root_).get(), file.name, path_of(file));
  if (!fd) throw Error(EIO, path_of(file) + " was removed while it was to be read");
  file_ = std::move(*fd);
  left_ = file.size;
  text_ = (begun_ == 0 ? "" : tar_padding(files_[begun_ - 1].size)) +
          tar_header(path_of(file), TarType::file, file.size);
  ++begun_;
  return bytes_of(text_);
}

std::span<const std::byte> LayoutSource::read_file() {
  const std::string path = path_of(files_[begun_ - 1]);
  for (;;) {
    const ssize_t got =
        ::read(file_.get(), buffer_.data(), std::min<std::uint64_t>(left_, buffer_.size()));
    if (got > 0) {
      left_ -= static_cast<std::uint64_t>(got);
      return std::span(buffer_).first(static_cast<std::size_t>(got));
    }
    if (got == 0) throw Error(EIO, path + " was cut while it was read");
    if (errno != EINTR) throw_errno("reading " + path);
  }
}

}  // namespace imagefs::importer
