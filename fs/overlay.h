// The filesystem of an image: its layers' indexes, merged a directory at a time.
//
//   Overlay overlay(indexes);                       // the lowest layer first
//   auto bin = overlay.lookup(overlay.root(), "bin");
//
// By the OCI image-spec (layer.md): a whiteout hides what lower layers have of a name, an opaque
// whiteout all that they have in a directory, wherever in its layer it stands; an entry of another
// type takes the place of what was there, with all below it; two directories are merged, and the
// upper one's attributes count if it has an entry of its own. A hard link is another name of what
// its target was when it came: in its layer, or in the layers below; where there is no such file,
// the name is not there. Parents are never looked up through symlinks.
//
// Pure: it reads the indexes and nothing else, and keeps no state. Thread safety: every member from
// any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "importer/layer_index.h"

namespace imagefs::fs {

class Overlay {
 public:
  using Layers = std::vector<std::shared_ptr<const importer::LayerIndex>>;

  explicit Overlay(Layers layers) : layers_(std::move(layers)) {}

  // A record of a layer's index. Of what is no directory it is the inode: hard links have the same.
  struct Entry {
    std::uint32_t layer;
    std::size_t record;

    auto operator<=>(const Entry&) const = default;
  };
  // A directory's share in one layer.
  struct Part {
    std::uint32_t layer;
    std::uint32_t floor;  // entries up to this one were removed again in the course of the layer
    importer::LayerIndex::Range range;

    bool operator==(const Part&) const = default;
  };
  struct Directory {
    importer::DirectoryKey key;
    std::vector<Part> parts;          // the topmost first
    std::optional<Entry> attributes;  // nothing: no layer has an entry for it

    bool operator==(const Directory&) const = default;
  };
  using Found = std::variant<Directory, Entry>;

  [[nodiscard]] Directory root() const { return root(layers_.size()); }
  // Throws Error{EIO} for an index that is damaged, as all that follow.
  [[nodiscard]] std::optional<Found> lookup(const Directory& directory,
                                            std::string_view name) const;

  struct Listed {
    std::string_view name;
    std::optional<Entry> entry;  // nothing: a directory
    std::uint64_t next;
  };
  // Calls `visit` with the names after `offset` (0, or what a `next` said) in order, until it
  // returns false. Throws Error{EINVAL} for an offset that is not of this directory.
  void list(const Directory& directory, std::uint64_t offset,
            const std::function<bool(const Listed&)>& visit) const;

  // The entry that says all of a directory, which is made from it again: most are in one layer.
  [[nodiscard]] std::optional<Entry> sole_entry(const Directory& directory) const;
  [[nodiscard]] Directory directory(Entry sole_entry) const;

  [[nodiscard]] const Layers& layers() const { return layers_; }
  [[nodiscard]] const importer::LayerIndex& index(Entry entry) const {
    return *layers_[entry.layer];
  }
  [[nodiscard]] const importer::IndexRecord& record(Entry entry) const {
    return index(entry).records()[entry.record];
  }
  // How many names the inode has in the merged view.
  [[nodiscard]] std::uint32_t count_names(Entry inode) const;

 private:
  using Path = std::span<const std::string_view>;

  // The views of the lowest `count` layers.
  [[nodiscard]] Directory root(std::size_t count) const;
  [[nodiscard]] std::optional<Entry> find_inode(Path path, std::size_t count) const;
  // What a record that is no directory stands for: follows hard links.
  [[nodiscard]] std::optional<Entry> inode(Entry entry) const;
  [[nodiscard]] std::optional<Entry> target(Entry link) const;

  Layers layers_;
};

}  // namespace imagefs::fs
