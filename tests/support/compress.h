// Compressed data for tests, made by the formats' own libraries.
#pragma once

#include <string>
#include <string_view>

#include "importer/decoder.h"

namespace imagefs::test {

// One member, stream or frame with a checksum. `compression`: not none.
[[nodiscard]] std::string compress(importer::Compression compression, std::string_view text);

// `size` bytes that are the same at each call: stretches that compress well, and noise.
[[nodiscard]] std::string sample(std::size_t size);

}  // namespace imagefs::test
