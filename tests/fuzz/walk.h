// Looks at all that an overlay shows.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "fs/overlay.h"

namespace imagefs::fuzz {

// Whether what the index says of one thing in two places has to agree.
enum class Index { ours, strangers };

inline void look_at(const fs::Overlay& overlay, fs::Overlay::Entry entry, Index kind) {
  const auto& index = overlay.index(entry);
  const auto& record = overlay.record(entry);
  if (record.kind == importer::EntryKind::symlink) (void)index.target(record);
  (void)index.xattrs(record);
  (void)index.sparse_map(record);
  if (overlay.count_names(entry) == 0 && kind == Index::ours) std::abort();
}

// Every name that is listed can be looked up and is of that kind. Throws Error as the overlay does.
inline void walk(const fs::Overlay& overlay, Index kind) {
  constexpr int kMaxDirectories = 10'000;  // a damaged index may have directories in a circle
  std::vector<fs::Overlay::Directory> directories{overlay.root()};
  for (int walked = 0; !directories.empty() && walked < kMaxDirectories; ++walked) {
    const auto directory = std::move(directories.back());
    directories.pop_back();
    overlay.list(directory, 0, [&](const fs::Overlay::Listed& listed) {
      const auto found = overlay.lookup(directory, listed.name);
      const bool agrees =
          found && std::holds_alternative<fs::Overlay::Entry>(*found) == listed.entry.has_value();
      if (!agrees && kind == Index::ours) std::abort();
      if (listed.entry) look_at(overlay, *listed.entry, kind);
      if (found && std::holds_alternative<fs::Overlay::Directory>(*found))
        directories.push_back(std::get<fs::Overlay::Directory>(*found));
      return directories.size() < kMaxDirectories;
    });
  }
}

}  // namespace imagefs::fuzz
