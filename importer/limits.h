// Limits on what a stranger chooses: each has a name, which is also the mount option's.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace imagefs::importer {

struct Limits {
  std::uint64_t max_json = 20ULL << 20;      // bytes of manifest.json, index.json or a manifest
  std::uint64_t max_config = 8ULL << 20;     // bytes of an image config
  std::uint64_t max_layer = 64ULL << 30;     // bytes of a layer, decoded
  std::uint64_t max_archive = 256ULL << 30;  // bytes of an archive, decoded
  std::uint64_t max_ratio = 1000;            // decoded / stored; deflate of zeros: 1032
  std::uint64_t ratio_after = 8ULL << 30;    // decoded bytes of a layer, and of an archive up to
                                             // kMaxRatioAfter, before max_ratio counts: an honest
                                             // one may hold a disk image of zeros
  std::size_t max_entries = 100'000;         // entries of an archive (not of a layer)
  std::size_t max_layers = 512;              // layers of an image
  std::size_t max_manifests = 1'000;         // manifests reachable from one index
  std::size_t max_depth = 8;                 // indexes within indexes
  std::size_t max_names = 10'000;            // names that an archive gives its images
  std::uint64_t min_free = 0;                // bytes that must stay free on the store's disk

  [[nodiscard]] bool over_ratio(std::uint64_t stored, std::uint64_t decoded) const {
    return decoded / std::max<std::uint64_t>(1, max_ratio) > stored;
  }
};

// Decoded bytes of an archive, before max_ratio counts, at most: they are written to the store.
inline constexpr std::uint64_t kMaxRatioAfter = 1ULL << 30;
// Symlinks followed from one name in a Docker archive; no option: real archives need one.
inline constexpr int kMaxSymlinkHops = 8;

}  // namespace imagefs::importer
