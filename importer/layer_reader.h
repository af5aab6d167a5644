// Reads a stored layer from its start to its end, decoded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include "importer/decoder.h"

namespace imagefs::importer {

// By the blob's first bytes. Throws Error{EIO}.
[[nodiscard]] Compression compression_of(int blob_fd);
// Calls `sink` with the decoded bytes until it returns false; returns how many there were. Throws
// Error: EBADMSG (corrupt), EIO, EFBIG (more than `max_layer` bytes), and what `sink` throws.
std::uint64_t read_layer(int blob_fd, std::uint64_t max_layer,
                         const std::function<bool(std::span<const std::byte>)>& sink);

}  // namespace imagefs::importer
