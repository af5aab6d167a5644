#include "importer/layer_index_builder.h"

#include <sys/sysmacros.h>

#include <algorithm>
#include <limits>
#include <optional>

#include "blobstore/error.h"
#include "importer/layer_xattrs.h"

namespace imagefs::importer {
namespace {

constexpr std::size_t kMaxNotes = 20;
constexpr std::uint64_t kMaxFileSize = 1ULL << 44;  // bytes; ext4's largest file
constexpr std::size_t kMaxTarget = 4095;            // bytes of a link's target, PATH_MAX
constexpr std::int64_t kMaxMajor = 0xfff;           // as Linux packs device numbers
constexpr std::int64_t kMaxMinor = 0xfffff;
constexpr std::uint32_t kNobody = 65534;
constexpr std::int64_t kModeBits = 07777;
// Directories that entries only imply; those are cheap in a layer and dear in its index.
constexpr std::uint64_t kMaxImplied = 65536;
constexpr std::uint64_t kMaxImpliedPerEntry = 32;

// OCI image-spec, layer.md.
constexpr std::string_view kWhiteoutPrefix = ".wh.";
constexpr std::string_view kWhiteoutMeta = ".wh..wh.";
constexpr std::string_view kOpaqueWhiteout = ".wh..wh..opq";

// Nothing: an entry that is no file (GNU tar's volume headers and the like).
std::optional<EntryKind> kind_of(char type) {
  switch (type) {
    case '1':
      return EntryKind::hard_link;
    case '2':
      return EntryKind::symlink;
    case '3':
      return EntryKind::character_device;
    case '4':
      return EntryKind::block_device;
    case '5':
    case 'D':
      return EntryKind::directory;
    case '6':
      return EntryKind::fifo;
    case 'M':
    case 'N':
    case 'V':
      return std::nullopt;
    default:
      return EntryKind::file;  // POSIX: so are types that nobody knows
  }
}

bool is_device(char type) { return type == '3' || type == '4'; }

// Why the entry cannot be shown; empty: it can.
std::string problem_of(const LayerEntry& entry) {
  if (!kind_of(entry.type)) return "its type is '" + std::string(1, entry.type) + "'";
  if (entry.map_too_long) return "its sparse map is too long";
  if (entry.size > kMaxFileSize) return "it is larger than 16 TiB";
  if (entry.type == '2' && entry.link.empty()) return "it is a symlink to nothing";
  if (entry.type == '2' && entry.link.size() > kMaxTarget) return "its target is too long";
  const bool numbers_fit =
      entry.major >= 0 && entry.major <= kMaxMajor && entry.minor >= 0 && entry.minor <= kMaxMinor;
  if (is_device(entry.type) && !numbers_fit) return "its device number is too large";
  return {};
}

void append_number(std::string& text, std::uint64_t value, std::size_t size) {
  text.append(reinterpret_cast<const char*>(&value), size);
}

bool is_whiteout(std::string_view component) { return component.starts_with(kWhiteoutPrefix); }

}  // namespace

void LayerIndexBuilder::add(const LayerEntry& entry) {
  const LayerPath path = clean_path(entry.name);
  if (!path.problem.empty()) return leave_out(entry, path.problem);
  ++entries_;
  const Components components(path.components);
  if (std::ranges::any_of(components, is_whiteout)) {
    return add_whiteout(entry, components);
  }
  const std::string problem = problem_of(entry);
  if (!problem.empty()) return leave_out(entry, problem);
  if (components.empty() && entry.type != '5') return leave_out(entry, "its name is empty");
  if (entry.type == '1') return add_hard_link(entry, components);
  add_entry(entry, components);
}

void LayerIndexBuilder::add_entry(const LayerEntry& entry, Components path) {
  const DirectoryKey parent = path.empty() ? above_root() : enter(path.first(path.size() - 1));
  const std::string_view name = path.empty() ? std::string_view() : path.back();
  IndexRecord record = make_record(parent, name, *kind_of(entry.type));
  set_attributes(record, entry);
  set_content(record, entry);
  set_extras(record, entry);
  writer_.add(record);
  if (record.kind == EntryKind::directory && !path.empty()) {
    open_.push_back({std::string(name), child_key(parent, name)});
  }
}

void LayerIndexBuilder::add_hard_link(const LayerEntry& entry, Components path) {
  const LayerPath target = clean_path(entry.link);
  if (!target.problem.empty())
    return leave_out(entry, "its target cannot be shown: " + target.problem);
  if (entry.link.size() > kMaxTarget) return leave_out(entry, "its target is too long");
  if (target.components.empty()) return leave_out(entry, "it is a hard link to nothing");
  const std::string target_path = target.str();
  DirectoryKey target_key = root_key();
  for (const std::string_view component : target.components) {
    target_key = child_key(target_key, component);
  }
  LayerPath own;
  own.components.assign(path.begin(), path.end());
  const std::string own_path = own.str();
  if (own_path == target_path) return leave_out(entry, "it is a hard link to itself");

  const DirectoryKey parent = enter(path.first(path.size() - 1));
  IndexRecord record = make_record(parent, path.back(), EntryKind::hard_link);
  record.data = writer_.pool().add(target_path);
  record.size = target_path.size();
  writer_.add(IndexLink{.target = target_key,
                        .key = child_key(parent, path.back()),
                        .target_path = static_cast<std::uint32_t>(record.data),
                        .target_size = static_cast<std::uint32_t>(target_path.size()),
                        .path = writer_.pool().add(own_path),
                        .path_size = static_cast<std::uint32_t>(own_path.size()),
                        .entry = entries_,
                        .reserved = 0});
  writer_.add(record);
}

void LayerIndexBuilder::add_whiteout(const LayerEntry& entry, Components path) {
  const std::string_view name = path.back();
  const Components parents = path.first(path.size() - 1);
  if (std::ranges::any_of(parents, is_whiteout)) {
    return leave_out(entry, "it is below a whiteout");
  }
  if (name == kOpaqueWhiteout) return add_opaque(parents);
  if (name.starts_with(kWhiteoutMeta)) return;  // bookkeeping of AUFS
  const std::string_view hidden = name.substr(kWhiteoutPrefix.size());
  if (hidden.empty() || hidden == "." || hidden == "..") {
    return leave_out(entry, "it is a whiteout of nothing");
  }
  add_flag(enter(parents), hidden, entry_flag::kWhiteout);
}

void LayerIndexBuilder::add_opaque(Components directory) {
  enter(directory);
  if (directory.empty()) return add_flag(above_root(), "", entry_flag::kOpaque);
  const DirectoryKey parent = enter(directory.first(directory.size() - 1));
  add_flag(parent, directory.back(), entry_flag::kOpaque);
}

void LayerIndexBuilder::add_flag(const DirectoryKey& parent, std::string_view name,
                                 std::uint8_t flag) {
  IndexRecord record = make_record(parent, name, EntryKind::none);
  record.flags = flag;
  writer_.add(record);
}

DirectoryKey LayerIndexBuilder::enter(Components path) {
  std::size_t same = 0;
  while (same < path.size() && same < open_.size() && open_[same].name == path[same]) ++same;
  open_.resize(same);
  for (const std::string_view name : path.subspan(same)) {
    if (++implied_ > kMaxImplied + kMaxImpliedPerEntry * entries_) {
      throw Error(EFBIG, "the layer's " + std::to_string(entries_) +
                             " entries lie in too many and too deep directories");
    }
    const DirectoryKey parent = open_.empty() ? root_key() : open_.back().key;
    writer_.add(make_record(parent, name, EntryKind::implied_directory));
    open_.push_back({std::string(name), child_key(parent, name)});
  }
  return open_.empty() ? root_key() : open_.back().key;
}

IndexRecord LayerIndexBuilder::make_record(const DirectoryKey& parent, std::string_view name,
                                           EntryKind kind) {
  IndexRecord record{};
  record.parent = parent;
  record.name = writer_.pool().add(name);
  record.name_size = static_cast<std::uint16_t>(name.size());
  record.kind = kind;
  record.entry = entries_;
  record.first = entries_;
  record.last = entries_;
  return record;
}

void LayerIndexBuilder::set_attributes(IndexRecord& record, const LayerEntry& entry) {
  record.mode = static_cast<std::uint16_t>(entry.mode & kModeBits);
  record.uid = shown_id(entry.uid, entry);
  record.gid = shown_id(entry.gid, entry);
  record.mtime = entry.mtime.seconds;
  record.nanoseconds = entry.mtime.nanoseconds;
}

void LayerIndexBuilder::set_content(IndexRecord& record, const LayerEntry& entry) {
  if (record.kind == EntryKind::file) {
    record.data = entry.offset;
    record.size = entry.size;
  } else if (record.kind == EntryKind::symlink) {
    record.data = writer_.pool().add(entry.link);
    record.size = entry.link.size();
  } else if (is_device(entry.type)) {
    record.data = makedev(static_cast<unsigned>(entry.major), static_cast<unsigned>(entry.minor));
  }
}

void LayerIndexBuilder::set_extras(IndexRecord& record, const LayerEntry& entry) {
  const ShownXattrs shown = shown_xattrs(entry.xattrs);
  if (shown.over_limit > 0) note(entry, "too large or too many extended attributes");
  const SparseMap map = entry.sparse.value_or(SparseMap());
  if (shown.xattrs.empty() && !entry.sparse) return;
  const ExtrasHeader header{.xattrs = static_cast<std::uint32_t>(shown.xattrs.size()),
                            .segments = static_cast<std::uint32_t>(map.size()),
                            .sparse = entry.sparse.has_value(),
                            .reserved = {}};
  std::string extras(reinterpret_cast<const char*>(&header), sizeof header);
  for (const auto& [name, value] : shown.xattrs) {
    append_number(extras, name.size(), sizeof(std::uint32_t));
    append_number(extras, value.size(), sizeof(std::uint32_t));
    extras += name;
    extras += value;
  }
  for (const Segment& segment : map) {
    append_number(extras, segment.offset, sizeof segment.offset);
    append_number(extras, segment.length, sizeof segment.length);
  }
  record.extras = writer_.pool().add(extras);
  record.extras_size = static_cast<std::uint32_t>(extras.size());
}

std::uint32_t LayerIndexBuilder::shown_id(std::int64_t id, const LayerEntry& entry) {
  if (id >= 0 && id < std::numeric_limits<std::uint32_t>::max()) {
    return static_cast<std::uint32_t>(id);
  }
  note(entry, "owner " + std::to_string(id) + " shown as 65534");
  return kNobody;
}

void LayerIndexBuilder::leave_out(const LayerEntry& entry, const std::string& why) {
  note(entry, "left out of rootfs/: " + why);
}

void LayerIndexBuilder::note(const LayerEntry& entry, const std::string& what) {
  if (notes_.size() == kMaxNotes) {
    ++more_notes_;
    return;
  }
  notes_.push_back("layer entry " + quoted(entry.name) + ": " + what);
}

std::vector<std::string> LayerIndexBuilder::notes() const {
  std::vector<std::string> notes = notes_;
  if (more_notes_ > 0) notes.push_back(std::to_string(more_notes_) + " more odd layer entries");
  return notes;
}

}  // namespace imagefs::importer
