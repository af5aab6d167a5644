#include "importer/layer_sparse.h"

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <utility>

#include "blobstore/error.h"

namespace imagefs::importer {
namespace {

constexpr std::size_t kMaxDigits = 20;

// GNU tar's struct sparse: offset and length, 12 characters each.
constexpr std::size_t kSegmentSize = 24;
constexpr std::size_t kNumberSize = 12;
constexpr std::size_t kHeaderSegments = 386;
constexpr std::size_t kHeaderSegmentCount = 4;
constexpr std::size_t kHeaderRealSize = 483;
constexpr std::size_t kBlockSegmentCount = 21;

[[noreturn]] void malformed() { throw Error(EBADMSG, "a sparse file has a malformed map"); }

// Negative numbers become huge ones, which check_sparse_map() refuses.
Segment make_segment(std::int64_t offset, std::int64_t length) {
  return {static_cast<std::uint64_t>(offset), static_cast<std::uint64_t>(length)};
}

std::string_view take_item(std::string_view& list) {
  const std::size_t comma = list.find(',');
  const std::string_view item = list.substr(0, comma);
  list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
  return item;
}

}  // namespace

void check_sparse_map(const SparseMap& map, std::int64_t size) {
  if (size < 0) malformed();
  const auto limit = static_cast<std::uint64_t>(size);
  std::uint64_t end = 0;
  for (const Segment& segment : map) {
    const bool within = segment.offset <= limit && segment.length <= limit - segment.offset;
    if (!within || segment.offset < end) malformed();
    end = segment.offset + segment.length;
  }
}

std::uint64_t data_bytes(const SparseMap& map) {
  std::uint64_t bytes = 0;
  for (const Segment& segment : map) bytes += segment.length;
  return bytes;
}

SparseMap parse_sparse_map(const PaxRecords& records) {
  const auto count = find_pax(records, "GNU.sparse.numblocks");
  std::string_view list = find_pax(records, "GNU.sparse.map").value_or("");
  if (!count) malformed();
  SparseMap map;
  while (!list.empty()) {
    const std::int64_t offset = parse_decimal(take_item(list));
    if (list.empty()) malformed();
    map.push_back(make_segment(offset, parse_decimal(take_item(list))));
  }
  if (std::cmp_not_equal(parse_decimal(*count), map.size())) malformed();
  return map;
}

bool SparseMapReader::append(const TarBlock& block) {
  return std::ranges::any_of(block, [this](char c) { return take_character(c); });
}

bool SparseMapReader::take_character(char c) {
  if (c != '\n') {
    digits_ += c;
    if (digits_.size() > kMaxDigits) malformed();
    return false;
  }
  return number(parse_decimal(std::exchange(digits_, {})));
}

bool SparseMapReader::number(std::int64_t value) {
  if (!segments_) {
    if (value < 0) malformed();
    segments_ = value;
    too_long_ = std::cmp_greater(value, kMaxSegments);
    return value == 0 || too_long_;
  }
  if (!offset_) {
    offset_ = value;
    return false;
  }
  map_.push_back(make_segment(*offset_, value));
  offset_.reset();
  return std::cmp_equal(map_.size(), *segments_);
}

bool OldSparseMap::is_in(const TarBlock& header) { return header[kHeaderSegments] != '\0'; }

bool OldSparseMap::start(const TarBlock& header) {
  const std::string_view text(header.data(), header.size());
  real_size_ = parse_number(text.substr(kHeaderRealSize, kNumberSize));
  return read(header, kHeaderSegments, kHeaderSegmentCount);
}

bool OldSparseMap::extend(const TarBlock& block) { return read(block, 0, kBlockSegmentCount); }

bool OldSparseMap::read(const TarBlock& block, std::size_t start, std::size_t count) {
  const std::string_view text(block.data(), block.size());
  for (std::size_t i = 0; i < count; ++i) {
    const std::string_view entry = text.substr(start + i * kSegmentSize, kSegmentSize);
    if (entry[0] == '\0') break;
    const std::int64_t offset = parse_number(entry.substr(0, kNumberSize));
    const std::int64_t length = parse_number(entry.substr(kNumberSize));
    too_long_ = too_long_ || map_.size() == kMaxSegments;
    if (!too_long_) map_.push_back(make_segment(offset, length));
  }
  const char extended = text[start + count * kSegmentSize];
  return extended != '\0';
}

}  // namespace imagefs::importer
