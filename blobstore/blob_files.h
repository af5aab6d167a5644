// The files of blobs/sha256/ and index.json, read.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "blobstore/digest.h"
#include "blobstore/directory.h"
#include "blobstore/index.h"
#include "blobstore/unique_fd.h"

namespace imagefs::blobstore {

// As the members of Store of the same names.
[[nodiscard]] std::optional<UniqueFd> open_blob(const Directory& directory, const Digest& digest);
[[nodiscard]] std::optional<std::string> read_blob(const Directory& directory, const Digest& digest,
                                                   std::uint64_t limit);
[[nodiscard]] std::vector<Digest> list_blobs(const Directory& directory);
[[nodiscard]] Index read_index(const Directory& directory);

inline constexpr std::uint64_t kMaxIndexFile = 256 << 20;  // bytes that are read of an index.json

// The bytes of index.json; nothing when it is absent.
[[nodiscard]] std::optional<std::string> read_index_file(const Directory& directory);
// The digest of a file's bytes. `passed` gets the offset and the number of those just read; what it
// throws ends the reading. `what` names the file in errors.
[[nodiscard]] Digest hash_file(int fd, const std::string& what,
                               const std::function<void(off_t offset, std::size_t count)>& passed);
// The size of a blob's file; nothing when it is absent. Throws Error{EIO} when it is no regular
// file.
[[nodiscard]] std::optional<std::uint64_t> blob_size(const Directory& directory,
                                                     const Digest& digest);

}  // namespace imagefs::blobstore
