#include "importer/content_writer.h"

#include <algorithm>
#include <utility>

#include "blobstore/error.h"
#include "importer/layer_tar_header.h"

namespace imagefs::importer {
namespace {

bool may_be_json(std::string_view start) {
  const std::size_t first = start.find_first_not_of(" \t\r\n");
  return first == std::string_view::npos || start[first] == '{' || start[first] == '[';
}

}  // namespace

ContentWriter::ContentWriter(blobstore::Store& store, const Limits& limits, FileHints hints)
    : store_(store), limits_(limits), hints_(hints) {}

void ContentWriter::append(std::span<const std::byte> bytes) {
  if (!chosen_) {
    const std::size_t wanted =
        hints_.in_memory ? bytes.size() : std::min(bytes.size(), kTarBlock - start_.size());
    start_.append(std::string_view(reinterpret_cast<const char*>(bytes.data()), wanted));
    bytes = bytes.subspan(wanted);
    if (hints_.in_memory || start_.size() < std::min<std::uint64_t>(kTarBlock, hints_.size)) return;
    choose();
  }
  store_bytes(bytes);
}

void ContentWriter::choose() {
  chosen_ = true;
  const auto start = std::as_bytes(std::span(start_));
  if (LayerScan::may_be_layer(start)) layer_.emplace(limits_, store_.directory_fd());
  const bool document = may_be_json(start_) && hints_.size <= limits_.max_json;
  if (layer_ || document || hints_.is_blob) writer_ = store_.write_blob();
  store_bytes(start);
}

void ContentWriter::store_bytes(std::span<const std::byte> bytes) {
  if (bytes.empty() || !writer_) return;
  writer_->append(bytes);
  if (layer_) scan(bytes);
}

void ContentWriter::scan(std::span<const std::byte> bytes) try {
  layer_->append(bytes);
} catch (const Error&) {
  fault_ = std::current_exception();
  layer_.reset();
}

Content ContentWriter::finish() {
  if (hints_.in_memory) return Content(std::move(start_), store_.directory_fd());
  if (!chosen_) choose();
  if (!writer_) return Content(hints_.size);
  blobstore::HeldBlob blob = writer_->finish();
  if (fault_) return Content(std::move(blob), fault_);
  if (!layer_) return Content(std::move(blob), Content::Scan());
  try {
    const LayerFacts facts = layer_->finish(blob.digest);
    return Content(std::move(blob), facts);
  } catch (const Error&) {
    return Content(std::move(blob), std::current_exception());
  }
}

}  // namespace imagefs::importer
