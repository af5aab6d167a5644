#include "importer/layer_index_writer.h"

#include <cerrno>
#include <cstddef>
#include <limits>
#include <optional>
#include <tuple>

#include "blobstore/error.h"
#include "importer/free_space.h"
#include "importer/index_sum.h"

namespace imagefs::importer {
namespace {

constexpr std::size_t kAlignment = 16;
constexpr std::size_t kMaxWaiting = 4U << 20;  // bytes of strings in memory
constexpr std::size_t kBuffer = 256U << 10;

// By parent and name; then flags first, the others newest first.
template <typename View>
bool record_order(const IndexRecord& a, const IndexRecord& b, const View& view) {
  if (a.parent != b.parent) return a.parent < b.parent;
  const int order = view(a.name, a.name_size).compare(view(b.name, b.name_size));
  if (order != 0) return order < 0;
  const bool a_flags = a.kind == EntryKind::none;
  const bool b_flags = b.kind == EntryKind::none;
  return a_flags != b_flags ? a_flags : b.last < a.last;
}

bool link_order(const IndexLink& a, const IndexLink& b) {
  return std::tie(a.target, a.entry) < std::tie(b.target, b.entry);
}

// Joins what happened to one name, which comes newest first, to as few records as say the same.
class History {
 public:
  template <typename Write>
  void add(IndexRecord record, bool same_name, const Write& write) {
    if (pending_ && same_name) {
      if (is_directory(pending_->kind) && is_directory(record.kind)) {
        extend(*pending_, record);
        return;
      }
      if (pending_->kind == EntryKind::none) {
        record.flags |= pending_->flags;
        pending_.reset();
      } else {
        pending_->flags |= entry_flag::kOlder;
      }
    }
    end(write);
    pending_ = record;
  }

  template <typename Write>
  void end(const Write& write) {
    if (pending_) write(*pending_);
    pending_.reset();
  }

  [[nodiscard]] const std::optional<IndexRecord>& pending() const { return pending_; }

 private:
  static void extend(IndexRecord& newer, IndexRecord older) {
    older.flags = newer.flags;
    older.last = newer.last;
    newer.first = older.first;
    if (newer.kind == EntryKind::implied_directory) newer = older;
  }

  std::optional<IndexRecord> pending_;
};

}  // namespace

std::uint32_t StringPool::add(std::string_view text) {
  const std::uint64_t offset = size();
  if (offset + text.size() > std::numeric_limits<std::uint32_t>::max()) {
    throw Error(EFBIG, "the names of the layer's entries are more than 4 GiB");
  }
  tail_ += text;
  return static_cast<std::uint32_t>(offset);
}

void StringPool::flush() {
  write_at(fd_, tail_.data(), tail_.size(), start_ + flushed_);
  sum_ = add_to_sum(sum_, std::as_bytes(std::span(tail_)));
  flushed_ += tail_.size();
  tail_.clear();
}

void StringPool::pad(std::size_t alignment) {
  tail_.append((alignment - size() % alignment) % alignment, '\0');
}

LayerIndexWriter::LayerIndexWriter(int directory_fd, std::uint64_t min_free)
    : file_(directory_fd),
      min_free_(min_free),
      pool_(file_.fd(), sizeof(IndexHeader)),
      records_(directory_fd),
      links_(directory_fd) {}

void LayerIndexWriter::add(const IndexRecord& record) {
  records_.add(record);
  check_size();
  if (records_.run_is_full() || pool_.waiting() > kMaxWaiting) spill();
}

void LayerIndexWriter::add(const IndexLink& link) {
  links_.add(link);
  check_size();
  if (links_.run_is_full()) links_.spill(link_order);
}

void LayerIndexWriter::check_size() const {
  const std::uint64_t size =
      pool_.size() + records_.size() * sizeof(IndexRecord) + links_.size() * sizeof(IndexLink);
  if (size <= kMaxIndexSize) return;
  throw Error(EFBIG, "the layer's index has more than " + std::to_string(kMaxIndexSize) + " bytes");
}

void LayerIndexWriter::spill() {
  require_free(file_.fd(), min_free_);
  records_.spill([this](const IndexRecord& a, const IndexRecord& b) {
    return record_order(a, b, [this](auto at, auto size) { return pool_.view(at, size); });
  });
  pool_.flush();
}

CacheFile LayerIndexWriter::finish(std::uint64_t layer_size) {
  require_free(file_.fd(), min_free_);
  IndexHeader header{.magic = kIndexMagic,
                     .version = kIndexVersion,
                     .record_size = sizeof(IndexRecord),
                     .pool_size = 0,
                     .records = 0,
                     .links = links_.size(),
                     .layer_size = layer_size,
                     .body_sum = 0,
                     .header_sum = 0};
  pool_.pad(kAlignment);
  pool_.flush();
  header.pool_size = pool_.size();
  end_ = sizeof header + header.pool_size;
  sum_ = pool_.sum();
  const MappedFile mapped(file_.fd(), end_);
  const auto names = mapped.as<char>(sizeof header, header.pool_size);
  header.records = write_records({names.data(), names.size()});
  links_.merge(link_order, [this](const IndexLink& link) { append(&link, sizeof link); });
  flush();
  header.body_sum = sum_;
  header.header_sum =
      add_to_sum(0, std::as_bytes(std::span(&header, 1)).first(offsetof(IndexHeader, header_sum)));
  write_at(file_.fd(), &header, sizeof header, 0);
  return std::move(file_);
}

std::uint64_t LayerIndexWriter::write_records(std::string_view names) {
  const auto view = [&](auto at, auto size) { return names.substr(at, size); };
  const auto same_name = [&](const IndexRecord& a, const IndexRecord& b) {
    return a.parent == b.parent && view(a.name, a.name_size) == view(b.name, b.name_size);
  };
  const auto less = [&](const IndexRecord& a, const IndexRecord& b) {
    return record_order(a, b, view);
  };
  std::uint64_t count = 0;
  const auto write = [&](const IndexRecord& record) {
    append(&record, sizeof record);
    ++count;
  };
  History history;
  records_.merge(less, [&](const IndexRecord& record) {
    const bool same = history.pending() && same_name(*history.pending(), record);
    history.add(record, same, write);
  });
  history.end(write);
  return count;
}

void LayerIndexWriter::append(const void* data, std::size_t size) {
  buffer_.append(static_cast<const char*>(data), size);
  if (buffer_.size() >= kBuffer) flush();
}

void LayerIndexWriter::flush() {
  write_at(file_.fd(), buffer_.data(), buffer_.size(), end_);
  sum_ = add_to_sum(sum_, std::as_bytes(std::span(buffer_)));
  end_ += buffer_.size();
  buffer_.clear();
}

}  // namespace imagefs::importer
