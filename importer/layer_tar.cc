#include "importer/layer_tar.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "blobstore/error.h"

namespace imagefs::importer {
namespace {

// Bytes of an extended header or long name. Go takes 1 MiB; more may be an attribute of that size,
// which rootfs/ does not show.
constexpr std::int64_t kMaxSpecial = 2 << 20;
constexpr std::string_view kSparsePrefix = "GNU.sparse.";
constexpr std::string_view kXattrPrefix = "SCHILY.xattr.";

bool is_special(char type) { return type == 'x' || type == 'g' || type == 'L' || type == 'K'; }

std::uint64_t checked_size(std::int64_t size) {
  if (size < 0) throw Error(EBADMSG, "an entry has a negative size");
  return static_cast<std::uint64_t>(size);
}

LayerEntry entry_of(TarHeader header) {
  return {.type = header.type,
          .name = std::move(header.name),
          .link = std::move(header.link),
          .mode = header.mode,
          .uid = header.uid,
          .gid = header.gid,
          .major = header.major,
          .minor = header.minor,
          .mtime = {.seconds = header.mtime}};
}

// Versions of GNU's sparse format in PAX records.
enum class PaxSparse { none, map_in_records, map_in_data };

PaxSparse pax_sparse(const PaxRecords& records) {
  const std::string_view major = find_pax(records, "GNU.sparse.major").value_or("");
  const std::string_view minor = find_pax(records, "GNU.sparse.minor").value_or("");
  if (major == "0" && (minor == "0" || minor == "1")) return PaxSparse::map_in_records;
  if (major == "1" && minor == "0") return PaxSparse::map_in_data;
  if (!major.empty() || !minor.empty()) return PaxSparse::none;
  return find_pax(records, "GNU.sparse.map") ? PaxSparse::map_in_records : PaxSparse::none;
}

bool names_entries(const PaxRecords& records) {
  return find_pax(records, "path") || find_pax(records, "linkpath") || find_pax(records, "size");
}

}  // namespace

void LayerTar::append(std::span<const std::byte> bytes) {
  while (!bytes.empty() && state_ != State::ended) {
    std::size_t taken = 0;
    if (skip_ > 0) {
      taken = static_cast<std::size_t>(std::min<std::uint64_t>(skip_, bytes.size()));
      skip_ -= taken;
    } else {
      taken = std::min(kTarBlock - filled_, bytes.size());
      std::memcpy(block_.data() + filled_, bytes.data(), taken);
      filled_ += taken;
    }
    position_ += taken;
    bytes = bytes.subspan(taken);
    if (filled_ == kTarBlock) take_block();
  }
}

void LayerTar::finish() const {
  const bool between = state_ == State::header || state_ == State::after_zeros;
  if (state_ == State::ended || (between && filled_ == 0 && skip_ <= padding_)) return;
  throw Error(EBADMSG, "the tar stream ends within an entry, at byte " + std::to_string(position_));
}

bool LayerTar::within_headers() const {
  if (state_ == State::ended || skip_ > 0) return false;
  const bool between = state_ == State::header || state_ == State::after_zeros;
  const std::string_view start(block_.data(), filled_);
  return !between || !specials_.empty() || start.find_first_not_of('\0') != std::string_view::npos;
}

void LayerTar::take_block() try {
  filled_ = 0;
  header_bytes_ += kTarBlock;
  switch (state_) {
    case State::header:
    case State::after_zeros:
      on_header();
      break;
    case State::special:
      on_special();
      break;
    case State::old_sparse:
      if (!old_map_.extend(block_)) emit_sparse(old_map_.take(), old_map_.too_long());
      break;
    case State::sparse_map:
      on_sparse_map();
      break;
    case State::ended:
      break;
  }
} catch (const Error& error) {
  if (error.errno_value() != EBADMSG) throw;
  throw Error(EBADMSG, "the tar stream is corrupt before byte " + std::to_string(position_) + ": " +
                           error.sentence());
}

void LayerTar::on_header() {
  if (is_zero(block_)) {
    state_ = state_ == State::after_zeros ? State::ended : State::after_zeros;
    return;
  }
  if (state_ == State::after_zeros) throw Error(EBADMSG, "a block of zeros between entries");
  TarHeader header = parse_header(block_);
  format_ = header.format;
  data_size_ = checked_size(header.size);
  if (is_special(header.type)) {
    special_type_ = header.type;
    note_special();
    start_special(header.size);
    return;
  }
  entry_ = entry_of(std::move(header));
  on_entry();
}

// Headers that repeat: the last one counts. Before a global one: Go's reader forgets them, others
// do not.
void LayerTar::note_special() {
  if (special_type_ == 'g') {
    doubtful_ = doubtful_ || !specials_.empty();
    forget_specials();
  } else if (has_special(special_type_)) {
    doubtful_ = true;
  } else {
    specials_ += special_type_;
  }
}

void LayerTar::forget_specials() {
  specials_.clear();
  pax_.clear();
  long_name_.clear();
  long_link_.clear();
}

void LayerTar::start_special(std::int64_t size) {
  if (size > kMaxSpecial) {
    throw Error(EBADMSG, "an extended header of " + std::to_string(size) + " bytes, the limit is " +
                             std::to_string(kMaxSpecial));
  }
  special_.clear();
  special_left_ = static_cast<std::size_t>(size);
  state_ = State::special;
  if (special_left_ == 0) on_special();
}

void LayerTar::on_special() {
  const std::size_t part = std::min(special_left_, kTarBlock);
  special_.append(block_.data(), part);
  special_left_ -= part;
  if (special_left_ > 0) return;
  state_ = State::header;
  if (special_type_ == 'L' || special_type_ == 'K') {
    on_long_text(part == kTarBlock || block_[part] == '\0');
  }
  if (special_type_ == 'x') pax_ = parse_pax(special_);
  // A global header speaks of no entry that Go's reader would change: it is checked and dropped.
  if (special_type_ == 'g' && names_entries(parse_pax(special_))) has_global_name_ = true;
}

// `ends`: nothing but zeros can follow in the last block.
void LayerTar::on_long_text(bool ends) {
  std::string text = parse_text(special_);
  doubtful_ = doubtful_ || text.empty() || (!ends && text.size() == special_.size());
  (special_type_ == 'L' ? long_name_ : long_link_) = std::move(text);
}

void LayerTar::on_entry() {
  apply_pax();
  if (!long_name_.empty()) entry_.name = std::move(long_name_);
  if (!long_link_.empty()) entry_.link = std::move(long_link_);
  const bool named_twice = (has_special('L') && find_pax(pax_, "path")) ||
                           (has_special('K') && find_pax(pax_, "linkpath"));
  entry_.doubtful = std::exchange(doubtful_, false) || named_twice;
  if (entry_.type == '\0') entry_.type = entry_.name.ends_with('/') ? '5' : '0';
  start_data();
}

void LayerTar::apply_pax() {
  if (const auto path = find_pax(pax_, "path")) entry_.name = *path;
  if (const auto link = find_pax(pax_, "linkpath")) entry_.link = *link;
  if (const auto uid = find_pax(pax_, "uid")) entry_.uid = parse_decimal(*uid);
  if (const auto gid = find_pax(pax_, "gid")) entry_.gid = parse_decimal(*gid);
  if (const auto mtime = find_pax(pax_, "mtime")) entry_.mtime = parse_pax_time(*mtime);
  if (const auto size = find_pax(pax_, "size")) {
    data_size_ = checked_size(parse_decimal(*size));
  }
  for (auto record = pax_.lower_bound(kXattrPrefix);
       record != pax_.end() && record->first.starts_with(kXattrPrefix); ++record) {
    const std::string name = record->first.substr(kXattrPrefix.size());
    if (!record->second.empty()) entry_.xattrs.emplace(name, record->second);
  }
}

void LayerTar::start_data() {
  entry_.declared_size = data_size_;
  if (is_header_only(entry_.type)) data_size_ = 0;
  entry_.size = data_size_;
  entry_.offset = position_;
  const bool sparse = entry_.type == 'S' || pax_sparse(pax_) != PaxSparse::none;
  if (sparse) {
    start_sparse();
  } else {
    entry_.doubtful = entry_.doubtful || looks_sparse();
    emit();
  }
}

// libarchive reads a map in GNU's header whatever the entry's type is, GNU tar some of the records.
bool LayerTar::looks_sparse() const {
  const auto records = pax_.lower_bound(kSparsePrefix);
  return (format_ == TarFormat::gnu && OldSparseMap::is_in(block_)) ||
         (records != pax_.end() && records->first.starts_with(kSparsePrefix));
}

void LayerTar::start_sparse() {
  if (is_header_only(entry_.type)) throw Error(EBADMSG, "a sparse entry that is no file");
  if (entry_.type == 'S') {
    start_old_sparse();
    return;
  }
  if (const auto name = find_pax(pax_, "GNU.sparse.name")) entry_.name = *name;
  auto size = find_pax(pax_, "GNU.sparse.size");
  if (!size) size = find_pax(pax_, "GNU.sparse.realsize");
  if (size) entry_.size = checked_size(parse_decimal(*size));
  if (pax_sparse(pax_) == PaxSparse::map_in_records) {
    emit_sparse(parse_sparse_map(pax_), false);
  } else {
    map_reader_ = SparseMapReader();
    state_ = State::sparse_map;
  }
}

void LayerTar::start_old_sparse() {
  if (format_ != TarFormat::gnu) throw Error(EBADMSG, "a sparse file that is not GNU tar's");
  old_map_ = OldSparseMap();
  state_ = State::old_sparse;
  const bool more = old_map_.start(block_);
  entry_.size = checked_size(old_map_.real_size());
  if (!more) emit_sparse(old_map_.take(), false);
}

void LayerTar::on_sparse_map() {
  const std::uint64_t map_bytes = position_ - entry_.offset;
  if (map_bytes > data_size_) throw Error(EBADMSG, "a sparse map is longer than its entry");
  if (!map_reader_.append(block_)) return;
  data_size_ -= map_bytes;
  emit_sparse(map_reader_.take(), map_reader_.too_long());
}

void LayerTar::emit_sparse(SparseMap map, bool too_long) {
  check_sparse_map(map, static_cast<std::int64_t>(entry_.size));
  if (!too_long && data_bytes(map) > data_size_) {
    throw Error(EBADMSG, "a sparse file has less data than its map says");
  }
  std::erase_if(map, [](const Segment& segment) { return segment.length == 0; });
  if (entry_.type == 'S') entry_.type = '0';
  entry_.offset = position_;
  entry_.sparse = std::move(map);
  entry_.map_too_long = too_long;
  emit();
}

void LayerTar::emit() {
  state_ = State::header;
  header_bytes_ = 0;
  forget_specials();
  skip(data_size_);
  sink_(entry_);
}

void LayerTar::skip(std::uint64_t bytes) {
  padding_ = tar_padding_size(bytes);
  skip_ = bytes + padding_;
}

}  // namespace imagefs::importer
