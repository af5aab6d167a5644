// Makes the index of a layer while its entries are read.
//
// What cannot be shown in a rootfs/ is left out and noted: names with "..", whiteouts of nothing,
// numbers that fit no kernel. A later entry of a name takes the earlier one's place; an entry below
// what was no directory makes it one: parents are never looked up through symlinks.
//
// Memory: a run of records and their names (about 10 MiB). Thread safety: one builder belongs to
// one thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "importer/layer_index_writer.h"
#include "importer/layer_path.h"
#include "importer/layer_tar.h"

namespace imagefs::importer {

class LayerIndexBuilder {
 public:
  // As LayerIndexWriter. Throws Error.
  explicit LayerIndexBuilder(int directory_fd, std::uint64_t min_free = 0)
      : writer_(directory_fd, min_free) {}

  // Throws Error: EFBIG (kMaxIndexSize, or more implied directories than an honest layer has),
  // ENOSPC …
  void add(const LayerEntry& entry);
  // The finished file, without a name yet. Spent afterwards. Throws Error.
  [[nodiscard]] CacheFile finish(std::uint64_t layer_size) { return writer_.finish(layer_size); }

  // What was left out, a sentence each; after some the rest is only counted.
  [[nodiscard]] std::vector<std::string> notes() const;

 private:
  using Components = std::span<const std::string_view>;

  void add_entry(const LayerEntry& entry, Components path);
  void add_hard_link(const LayerEntry& entry, Components path);
  void add_whiteout(const LayerEntry& entry, Components path);
  void add_opaque(Components directory);
  void add_flag(const DirectoryKey& parent, std::string_view name, std::uint8_t flag);
  // Makes sure that all of `path` are directories; the key of the last.
  DirectoryKey enter(Components path);
  [[nodiscard]] IndexRecord make_record(const DirectoryKey& parent, std::string_view name,
                                        EntryKind kind);
  void set_attributes(IndexRecord& record, const LayerEntry& entry);
  void set_content(IndexRecord& record, const LayerEntry& entry);
  void set_extras(IndexRecord& record, const LayerEntry& entry);
  std::uint32_t shown_id(std::int64_t id, const LayerEntry& entry);
  void leave_out(const LayerEntry& entry, const std::string& why);
  void note(const LayerEntry& entry, const std::string& what);

  struct Open {
    std::string name;
    DirectoryKey key;
  };
  LayerIndexWriter writer_;
  std::vector<Open> open_;  // the directories, from the root, that the last entry stood in
  std::uint32_t entries_ = 0;
  std::uint64_t implied_ = 0;  // records of directories that have no entry there
  std::vector<std::string> notes_;
  std::uint64_t more_notes_ = 0;
};

}  // namespace imagefs::importer
