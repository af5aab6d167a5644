#include "importer/peeked_source.h"

#include <algorithm>
#include <utility>

namespace imagefs::importer {

PeekedSource::PeekedSource(ByteSource& source, std::function<void(std::size_t)> on_bytes)
    : source_(source), on_bytes_(std::move(on_bytes)) {}

std::span<const std::byte> PeekedSource::peek(std::size_t count) {
  while (start_.size() < count) {
    const auto bytes = take();
    if (bytes.empty()) break;
    start_.insert(start_.end(), bytes.begin(), bytes.end());
  }
  return std::span(start_).first(std::min(start_.size(), count));
}

std::span<const std::byte> PeekedSource::next() {
  if (!start_given_ && !start_.empty()) {
    start_given_ = true;
    return start_;
  }
  return take();
}

std::span<const std::byte> PeekedSource::take() {
  const auto bytes = source_.next();
  if (!bytes.empty()) on_bytes_(bytes.size());
  return bytes;
}

}  // namespace imagefs::importer
