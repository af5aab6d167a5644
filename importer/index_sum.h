// The checksum of an index file: CRC-64 (ECMA-182).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace imagefs::importer {

// Continues `sum`; 0 starts one.
[[nodiscard]] std::uint64_t add_to_sum(std::uint64_t sum, std::span<const std::byte> bytes);

}  // namespace imagefs::importer
