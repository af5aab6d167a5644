// What one layer says of one name, once the layer is over.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "importer/layer_index.h"

namespace imagefs::fs {

struct Sight {
  bool present;             // the name is there when the layer is over
  bool directory;           // what is there is a directory
  bool attributes;          // with an entry of its own
  bool hides_lower;         // lower layers' entry of the name does not count
  bool opaque;              // what lower layers have in the directory does not count
  std::uint32_t floor = 0;  // of the directory, see Overlay::Part
};

// `record`: the newest of its name. `floor`: of the directory it stands in.
inline Sight look_at(const importer::LayerIndex& index, std::size_t record, std::uint32_t floor) {
  namespace flag = importer::entry_flag;
  const auto records = index.records();
  const importer::IndexRecord& newest = records[record];
  const bool replaced = (newest.flags & flag::kOlder) != 0 && record + 1 < records.size();
  const bool whiteout = (newest.flags & flag::kWhiteout) != 0;
  Sight sight{.present = newest.kind != importer::EntryKind::none && newest.last > floor,
              .directory = is_directory(newest.kind),
              .attributes = false,
              .hides_lower = whiteout || replaced,
              .opaque = (newest.flags & flag::kOpaque) != 0,
              .floor = floor};
  if (sight.directory) {
    // What is older than a directory is none: directories after one another are one record.
    if (replaced) sight.floor = std::max(floor, records[record + 1].last);
    sight.attributes = newest.kind == importer::EntryKind::directory && newest.entry > sight.floor;
  }
  return sight;
}

}  // namespace imagefs::fs
