#include "importer/index_sum.h"

#include <isa-l/crc64.h>

namespace imagefs::importer {

std::uint64_t add_to_sum(std::uint64_t sum, std::span<const std::byte> bytes) {
  return crc64_ecma_refl(sum, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
}

}  // namespace imagefs::importer
