// The file `intent`: the digests that a commit under way links, one a line.
//
// It is on disk before the first link and goes when the commit is whole. Whoever finds one while
// holding the store's lock knows that a commit was cut short.
#pragma once

#include <vector>

#include "blobstore/digest.h"
#include "blobstore/directory.h"

namespace imagefs::blobstore {

// For each the store's lock is held.
void write_intent(const Directory& directory, const std::vector<Digest>& digests);
void remove_intent(const Directory& directory);
// Removes what a commit that was cut short left: blobs that it linked and that no image refers to,
// temporary files. While the images' documents cannot be read nothing is removed, and the intent
// stays.
void settle_intent(const Directory& directory);
// Whether there is something for settle_intent to do; needs no lock.
[[nodiscard]] bool is_unsettled(const Directory& directory);

// The prefix of files in blobs/ that a commit renames into their place.
inline constexpr auto kReplacementPrefix = ".replace-";

}  // namespace imagefs::blobstore
