#include "importer/content.h"

#include <algorithm>
#include <cerrno>
#include <span>
#include <utility>

#include "blobstore/error.h"

namespace imagefs::importer {
namespace {

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

Content::Scan scan(const std::string& bytes, const blobstore::Digest& digest, const Limits& limits,
                   std::optional<int> index_directory) {
  if (!LayerScan::may_be_layer(bytes_of(bytes).first(std::min<std::size_t>(bytes.size(), 512)))) {
    return {};
  }
  try {
    LayerScan layer(limits, index_directory);
    layer.append(bytes_of(bytes));
    return layer.finish(digest);
  } catch (const Error&) {
    return std::current_exception();
  }
}

}  // namespace

Content::Content(std::string bytes, std::optional<int> index_directory)
    : size_(bytes.size()),
      digest_(blobstore::sha256(bytes)),
      bytes_(std::move(bytes)),
      index_directory_(index_directory) {}

Content::Content(blobstore::HeldBlob blob, Scan scan)
    : size_(blob.size), digest_(blob.digest), blob_(std::move(blob)), scan_(std::move(scan)) {}

bool Content::same_bytes(const Content& other) const { return digest_ && digest_ == other.digest_; }

std::string Content::text(std::uint64_t limit, const std::string& what) const {
  if (size_ > limit) {
    throw Error(EFBIG, what + " has " + std::to_string(size_) + " bytes, the limit is " +
                           std::to_string(limit));
  }
  if (bytes_) return *bytes_;
  if (blob_) return blob_->read_all(limit);
  throw Error(EINVAL, what + " is no JSON document");
}

const LayerFacts& Content::layer(const Limits& limits, const std::string& what) {
  if (bytes_ && std::holds_alternative<std::monostate>(scan_)) {
    scan_ = scan(*bytes_, *digest_, limits, index_directory_);
  }
  if (const auto* facts = std::get_if<LayerFacts>(&scan_)) return *facts;
  if (const auto* fault = std::get_if<std::exception_ptr>(&scan_)) {
    try {
      std::rethrow_exception(*fault);
    } catch (const Error& error) {
      throw Error(error.errno_value(), what + ": " + error.sentence());
    }
  }
  throw Error(EINVAL, what + " is no tar, compressed or not");
}

const blobstore::HeldBlob& Content::blob(blobstore::Store& store) {
  if (!blob_) {
    blobstore::Writer writer = store.write_blob();
    writer.append(bytes_of(bytes_.value()));
    blob_ = writer.finish();
  }
  return *blob_;
}

}  // namespace imagefs::importer
