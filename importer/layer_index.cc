#include "importer/layer_index.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "blobstore/error.h"
#include "importer/index_sum.h"

namespace imagefs::importer {
namespace {

constexpr std::uint64_t kMaxPool = 1ULL << 32;

std::optional<IndexHeader> read_header(std::span<const std::byte> bytes) {
  IndexHeader header;
  if (bytes.size() < sizeof header) return std::nullopt;
  std::memcpy(&header, bytes.data(), sizeof header);
  const bool ours = header.magic == kIndexMagic && header.version == kIndexVersion &&
                    header.record_size == sizeof(IndexRecord);
  const std::uint64_t sum = add_to_sum(0, bytes.first(offsetof(IndexHeader, header_sum)));
  if (!ours || sum != header.header_sum) return std::nullopt;
  return header;
}

// Whether the parts that the header names make up the file.
bool fits(const IndexHeader& header, std::uint64_t size) {
  if (header.pool_size > kMaxPool + kMaxPool || header.records > kMaxRecords ||
      header.links > kMaxRecords || header.pool_size % alignof(IndexRecord) != 0) {
    return false;
  }
  return size == sizeof header + header.pool_size + header.records * sizeof(IndexRecord) +
                     header.links * sizeof(IndexLink);
}

// Reads the extras of a record from front to back.
class ExtrasReader {
 public:
  explicit ExtrasReader(std::string_view bytes) : bytes_(bytes) {}

  std::string_view take(std::size_t size) {
    if (size > bytes_.size()) throw Error(EIO, "the index of a layer is damaged");
    const std::string_view part = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return part;
  }
  template <typename T>
  T number() {
    T value;
    take(sizeof value).copy(reinterpret_cast<char*>(&value), sizeof value);
    return value;
  }
  std::pair<std::string, std::string> xattr() {
    const auto name_size = number<std::uint32_t>();
    const auto value_size = number<std::uint32_t>();
    std::string name(take(name_size));
    return {std::move(name), std::string(take(value_size))};
  }

 private:
  std::string_view bytes_;
};

}  // namespace

std::shared_ptr<const LayerIndex> LayerIndex::open(int fd) {
  struct stat status{};
  if (fstat(fd, &status) != 0) throw_errno("the index of a layer");
  MappedFile file(fd, static_cast<std::uint64_t>(status.st_size));
  const auto header = read_header(file.bytes());
  if (!header || !fits(*header, file.bytes().size())) return nullptr;
  if (add_to_sum(0, file.bytes().subspan(sizeof *header)) != header->body_sum) return nullptr;
  return std::make_shared<const LayerIndex>(LayerIndex(std::move(file), *header));
}

LayerIndex::LayerIndex(MappedFile file, const IndexHeader& header)
    : file_(std::move(file)), layer_size_(header.layer_size) {
  std::uint64_t place = sizeof header;
  const auto pool = file_.as<char>(place, header.pool_size);
  pool_ = {pool.data(), pool.size()};
  place += header.pool_size;
  records_ = file_.as<IndexRecord>(place, header.records);
  place += header.records * sizeof(IndexRecord);
  links_ = file_.as<IndexLink>(place, header.links);
}

LayerIndex::Range LayerIndex::directory(const DirectoryKey& key) const {
  const auto [begin, end] = std::ranges::equal_range(records_, key, {}, &IndexRecord::parent);
  return {static_cast<std::size_t>(begin - records_.begin()),
          static_cast<std::size_t>(end - records_.begin())};
}

std::optional<std::size_t> LayerIndex::find(Range directory, std::string_view name) const {
  const auto part = records_.subspan(directory.begin, directory.end - directory.begin);
  const auto found = std::ranges::lower_bound(
      part, name, {}, [this](const IndexRecord& record) { return this->name(record); });
  if (found == part.end() || this->name(*found) != name) return std::nullopt;
  return directory.begin + static_cast<std::size_t>(found - part.begin());
}

std::size_t LayerIndex::after(Range directory, std::string_view name) const {
  const auto part = records_.subspan(directory.begin, directory.end - directory.begin);
  const auto found = std::ranges::upper_bound(
      part, name, {}, [this](const IndexRecord& record) { return this->name(record); });
  return directory.begin + static_cast<std::size_t>(found - part.begin());
}

std::span<const IndexLink> LayerIndex::links_to(const DirectoryKey& target) const {
  const auto [begin, end] = std::ranges::equal_range(links_, target, {}, &IndexLink::target);
  return {begin, end};
}

std::string_view LayerIndex::text(std::uint64_t place, std::uint64_t size) const {
  if (place > pool_.size() || size > pool_.size() - place) {
    throw Error(EIO, "the index of a layer is damaged");
  }
  return pool_.substr(place, size);
}

std::string_view LayerIndex::name(const IndexRecord& record) const {
  return text(record.name, record.name_size);
}

std::string_view LayerIndex::target(const IndexRecord& link) const {
  return text(link.data, link.size);
}

std::vector<std::pair<std::string, std::string>> LayerIndex::xattrs(
    const IndexRecord& record) const {
  std::vector<std::pair<std::string, std::string>> xattrs;
  if (record.extras_size == 0) return xattrs;
  ExtrasReader reader(text(record.extras, record.extras_size));
  const auto header = reader.number<ExtrasHeader>();
  for (std::uint32_t i = 0; i < header.xattrs; ++i) xattrs.push_back(reader.xattr());
  return xattrs;
}

std::optional<SparseMap> LayerIndex::sparse_map(const IndexRecord& record) const {
  if (record.extras_size == 0) return std::nullopt;
  ExtrasReader reader(text(record.extras, record.extras_size));
  const auto header = reader.number<ExtrasHeader>();
  if (header.sparse == 0) return std::nullopt;
  for (std::uint32_t i = 0; i < header.xattrs; ++i) static_cast<void>(reader.xattr());
  SparseMap map;
  for (std::uint32_t i = 0; i < header.segments; ++i) {
    const auto offset = reader.number<std::uint64_t>();
    map.push_back({offset, reader.number<std::uint64_t>()});
  }
  return map;
}

}  // namespace imagefs::importer
