// Hard links of an Overlay.
#include <algorithm>
#include <deque>
#include <set>
#include <string>

#include "fs/overlay.h"

namespace imagefs::fs {
namespace {

using importer::DirectoryKey;
using importer::EntryKind;
using importer::IndexRecord;
using importer::LayerIndex;

constexpr int kMaxHops = 40;                     // links to links; archives link to the first name
constexpr std::size_t kMaxPathBytes = 4U << 20;  // of an inode's names that are counted

// A path in a layer as it was when an entry came.
class PastWalk {
 public:
  PastWalk(const LayerIndex& index, std::uint32_t time) : index_(index), time_(time) {
    const auto root = index.find(index.directory(importer::above_root()), "");
    hidden_ = root && has_flag(*root, importer::entry_flag::kOpaque);
  }

  void enter(std::string_view name) {
    const auto newest = find(name);
    key_ = importer::child_key(key_, name);
    if (!newest) return;
    if (has_flag(*newest, importer::entry_flag::kOpaque)) hidden_ = true;
    auto version = version_then(*newest);
    if (version && is_directory(records()[*version].kind)) version = older(*version);
    if (!version) return;
    floor_ = std::max(floor_, records()[*version].entry);
    hidden_ = true;
  }

  struct Past {
    std::optional<std::size_t> record;  // the file that was there
    bool look_below;                    // nothing was there, and nothing hides lower layers' file
  };
  [[nodiscard]] Past file(std::string_view name) {
    const auto newest = find(name);
    if (!newest) return {std::nullopt, !hidden_};
    const auto version = version_then(*newest);
    if (!version) return {std::nullopt, !hidden_};
    const IndexRecord& record = records()[*version];
    const bool is_file = !is_directory(record.kind) && record.entry > floor_;
    return {is_file ? version : std::nullopt, false};
  }

 private:
  [[nodiscard]] std::span<const IndexRecord> records() const { return index_.records(); }
  [[nodiscard]] bool has_flag(std::size_t record, std::uint8_t flag) const {
    return (records()[record].flags & flag) != 0;
  }

  // The newest record of a name; notes whether a whiteout hides it in lower layers.
  std::optional<std::size_t> find(std::string_view name) {
    range_ = index_.directory(key_);
    const auto newest = index_.find(range_, name);
    if (newest && has_flag(*newest, importer::entry_flag::kWhiteout)) hidden_ = true;
    return newest;
  }

  [[nodiscard]] std::optional<std::size_t> older(std::size_t record) const {
    const bool more = has_flag(record, importer::entry_flag::kOlder) && record + 1 < range_.end;
    return more ? std::optional(record + 1) : std::nullopt;
  }

  // The newest record of the name that had come by then.
  [[nodiscard]] std::optional<std::size_t> version_then(std::size_t newest) const {
    if (records()[newest].kind == EntryKind::none) return std::nullopt;
    const std::size_t end = index_.after(range_, index_.name(records()[newest]));
    const auto versions = records().subspan(newest, end - newest);
    const auto then = std::ranges::partition_point(
        versions, [this](const IndexRecord& version) { return version.first > time_; });
    if (then == versions.end()) return std::nullopt;
    return newest + static_cast<std::size_t>(then - versions.begin());
  }

  const LayerIndex& index_;
  std::uint32_t time_;
  DirectoryKey key_ = importer::root_key();
  LayerIndex::Range range_{};
  std::uint32_t floor_ = 0;
  bool hidden_ = false;
};

}  // namespace

std::optional<Overlay::Entry> Overlay::inode(Entry entry) const {
  std::optional<Entry> at = entry;
  for (int hops = 0; at && record(*at).kind == EntryKind::hard_link; ++hops) {
    at = hops < kMaxHops ? target(*at) : std::nullopt;
  }
  return at;
}

std::optional<Overlay::Entry> Overlay::target(Entry link) const {
  const LayerIndex& in = index(link);
  const importer::LayerPath path = importer::clean_path(in.target(record(link)));
  if (path.components.empty()) return std::nullopt;
  const Path components(path.components);
  PastWalk walk(in, record(link).entry);
  for (const std::string_view name : components.first(components.size() - 1)) walk.enter(name);
  const auto past = walk.file(components.back());
  if (past.record) return Entry{link.layer, *past.record};
  return past.look_below ? find_inode(components, link.layer) : std::nullopt;
}

std::optional<Overlay::Entry> Overlay::find_inode(Path path, std::size_t count) const {
  Directory directory = root(count);
  for (const std::string_view name : path.first(path.size() - 1)) {
    auto found = lookup(directory, name);
    if (!found || !std::holds_alternative<Directory>(*found)) return std::nullopt;
    directory = std::get<Directory>(std::move(*found));
  }
  const auto found = lookup(directory, path.back());
  if (!found || !std::holds_alternative<Entry>(*found)) return std::nullopt;
  return std::get<Entry>(*found);
}

std::uint32_t Overlay::count_names(Entry inode) const {
  const IndexRecord& first = record(inode);
  std::set<DirectoryKey> seen{importer::child_key(first.parent, index(inode).name(first))};
  std::deque<DirectoryKey> queue(seen.begin(), seen.end());
  std::set<std::string_view> paths;
  std::size_t bytes = 0;
  for (; !queue.empty(); queue.pop_front()) {
    for (std::size_t layer = inode.layer; layer < layers_.size(); ++layer) {
      for (const importer::IndexLink& link : layers_[layer]->links_to(queue.front())) {
        bytes += link.path_size;
        if (bytes > kMaxPathBytes) break;
        paths.insert(layers_[layer]->text(link.target_path, link.target_size));
        paths.insert(layers_[layer]->text(link.path, link.path_size));
        if (seen.insert(link.key).second) queue.push_back(link.key);
      }
    }
  }
  const auto shown = std::ranges::count_if(paths, [&](std::string_view path) {
    const importer::LayerPath clean = importer::clean_path(path);
    return !clean.components.empty() && find_inode(clean.components, layers_.size()) == inode;
  });
  return std::max(1U, static_cast<std::uint32_t>(shown));
}

}  // namespace imagefs::fs
