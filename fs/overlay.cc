#include "fs/overlay.h"

#include <cerrno>
#include <queue>

#include "blobstore/error.h"
#include "fs/overlay_sight.h"

namespace imagefs::fs {
namespace {

using importer::DirectoryKey;
using importer::LayerIndex;

constexpr unsigned kLayerShift = 32;  // of an offset: layer + 1, then the record

std::uint64_t offset_of(std::uint32_t layer, std::size_t record) {
  return (std::uint64_t{layer} + 1) << kLayerShift | record;
}

// Puts a directory together from its layers, the topmost first.
class DirectoryMerge {
 public:
  explicit DirectoryMerge(const DirectoryKey& key) : directory_{key, {}, std::nullopt} {}

  void add(const LayerIndex& index, Overlay::Entry entry, const Sight& sight) {
    if (!closed_) {
      const auto range = index.directory(directory_.key);
      if (range.begin != range.end) {
        directory_.parts.push_back({entry.layer, sight.floor, range});
      }
    }
    if (sight.attributes && !directory_.attributes) directory_.attributes = entry;
    closed_ = closed_ || sight.opaque;
  }
  [[nodiscard]] bool complete() const { return closed_ && directory_.attributes; }
  [[nodiscard]] Overlay::Directory take() { return std::move(directory_); }

 private:
  Overlay::Directory directory_;
  bool closed_ = false;
};

// A place in one part of a directory that is being listed.
struct Cursor {
  std::string_view name;
  std::size_t part;  // of the directory
  std::size_t record;
};
struct ComesLater {
  bool operator()(const Cursor& a, const Cursor& b) const {
    const int order = a.name.compare(b.name);
    return order != 0 ? order > 0 : a.part > b.part;
  }
};

// The names of a directory in order; for each name the layers that know it, the topmost first.
class Walk {
 public:
  Walk(const Overlay::Layers& layers, const Overlay::Directory& directory)
      : layers_(layers), directory_(directory) {}

  void start(std::size_t part, std::size_t record) {
    const auto& [layer, floor, range] = directory_.parts[part];
    if (record >= range.end) return;
    const LayerIndex& index = *layers_[layer];
    queue_.push({index.name(index.records()[record]), part, record});
  }
  [[nodiscard]] bool at_end() const { return queue_.empty(); }
  [[nodiscard]] const Cursor& top() const { return queue_.top(); }
  // Goes on to the next name of the part that is on top.
  void advance() {
    const Cursor cursor = queue_.top();
    queue_.pop();
    const auto records = layers_[directory_.parts[cursor.part].layer]->records();
    std::size_t record = cursor.record;
    const std::size_t end = directory_.parts[cursor.part].range.end;
    while (record + 1 < end && (records[record].flags & importer::entry_flag::kOlder) != 0) {
      ++record;
    }
    start(cursor.part, record + 1);
  }

 private:
  const Overlay::Layers& layers_;
  const Overlay::Directory& directory_;
  std::priority_queue<Cursor, std::vector<Cursor>, ComesLater> queue_;
};

void start_after(const Overlay::Layers& layers, const Overlay::Directory& directory,
                 std::uint64_t offset, Walk& walk) {
  if (offset == 0) {
    for (std::size_t i = 0; i < directory.parts.size(); ++i) {
      walk.start(i, directory.parts[i].range.begin);
    }
    return;
  }
  const std::uint64_t layer = (offset >> kLayerShift) - 1;
  const std::uint64_t record = offset & ((std::uint64_t{1} << kLayerShift) - 1);
  const bool ours = layer < layers.size() && record < layers[layer]->records().size() &&
                    layers[layer]->records()[record].parent == directory.key;
  if (!ours) throw Error(EINVAL, "an offset that this directory never gave");
  const std::string_view last = layers[layer]->name(layers[layer]->records()[record]);
  for (std::size_t i = 0; i < directory.parts.size(); ++i) {
    const auto& part = directory.parts[i];
    walk.start(i, layers[part.layer]->after(part.range, last));
  }
}

}  // namespace

Overlay::Directory Overlay::root(std::size_t count) const {
  DirectoryMerge merge(importer::root_key());
  for (std::size_t i = count; i-- > 0 && !merge.complete();) {
    const LayerIndex& index = *layers_[i];
    const auto found = index.find(index.directory(importer::above_root()), "");
    const Sight sight = found ? look_at(index, *found, 0) : Sight{};
    merge.add(index, {static_cast<std::uint32_t>(i), found.value_or(0)}, sight);
  }
  return merge.take();
}

std::optional<Overlay::Found> Overlay::lookup(const Directory& directory,
                                              std::string_view name) const {
  std::optional<DirectoryMerge> merge;
  for (const Part& part : directory.parts) {
    const LayerIndex& index = *layers_[part.layer];
    const auto found = index.find(part.range, name);
    if (!found) continue;
    const Sight sight = look_at(index, *found, part.floor);
    const Entry entry{part.layer, *found};
    if (sight.present && !sight.directory) {
      if (merge) break;
      const auto shown = inode(entry);
      return shown ? std::optional<Found>(*shown) : std::nullopt;
    }
    if (sight.present) {
      if (!merge) merge.emplace(importer::child_key(directory.key, name));
      merge->add(index, entry, sight);
    }
    if (sight.hides_lower || (merge && merge->complete())) break;
  }
  return merge ? std::optional<Found>(merge->take()) : std::nullopt;
}

std::optional<Overlay::Entry> Overlay::sole_entry(const Directory& directory) const {
  const auto& entry = directory.attributes;
  return entry && this->directory(*entry) == directory ? entry : std::nullopt;
}

Overlay::Directory Overlay::directory(Entry sole_entry) const {
  const LayerIndex& in = index(sole_entry);
  const importer::IndexRecord& entry = record(sole_entry);
  const DirectoryKey key = importer::child_key(entry.parent, in.name(entry));
  const auto range = in.directory(key);
  Directory directory{key, {}, sole_entry};
  if (range.begin != range.end) directory.parts.push_back({sole_entry.layer, 0, range});
  return directory;
}

void Overlay::list(const Directory& directory, std::uint64_t offset,
                   const std::function<bool(const Listed&)>& visit) const {
  Walk walk(layers_, directory);
  start_after(layers_, directory, offset, walk);
  while (!walk.at_end()) {
    std::optional<Listed> shown;
    bool decided = false;
    const Cursor first = walk.top();
    const std::uint64_t next = offset_of(directory.parts[first.part].layer, first.record);
    for (; !walk.at_end() && walk.top().name == first.name; walk.advance()) {
      if (decided) continue;
      const Part& part = directory.parts[walk.top().part];
      const Entry entry{part.layer, walk.top().record};
      const Sight sight = look_at(index(entry), entry.record, part.floor);
      decided = sight.present || sight.hides_lower;
      if (!sight.present) continue;
      const auto file = sight.directory ? std::nullopt : inode(entry);
      if (sight.directory || file) shown = Listed{first.name, file, next};
    }
    if (shown && !visit(*shown)) return;
  }
}

}  // namespace imagefs::fs
