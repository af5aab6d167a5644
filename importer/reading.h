// What an archive's documents say: its images, when all that they refer to is there.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "blobstore/descriptor.h"
#include "blobstore/error.h"
#include "importer/archive.h"
#include "importer/content.h"

namespace imagefs::importer {

struct FoundImage {
  std::vector<std::string> names;  // normalised
  blobstore::Descriptor descriptor;
};

struct Reading {
  std::vector<FoundImage> images;
  std::vector<Content*> blobs;   // of the archive, that the images refer to
  std::deque<Content> made;      // manifests that the archive does not hold
  std::optional<Error> missing;  // what is not there, when that refuses the archive
  std::vector<std::string> notes;
};

// Reads the documents that have arrived: by index.json when its images are whole, else by
// manifest.json. `file_name`: of the archive. `all`: the end marker has passed; until then
// manifest.json is not read where an OCI layout may be on its way. What is there and wrong throws
// Error.
[[nodiscard]] Reading read_documents(Archive& archive, const Limits& limits,
                                     const std::string& file_name, bool all);

}  // namespace imagefs::importer
