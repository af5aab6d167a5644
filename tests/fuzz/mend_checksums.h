// Included by a target that reads tars: libFuzzer's mutations, behind which the headers' checksums
// are right again. Otherwise almost each mutation of a header ends at its checksum.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <numeric>
#include <span>

#include "importer/tar_header.h"

namespace imagefs::fuzz {

inline void mend_checksums(std::span<std::uint8_t> archive) {
  constexpr std::size_t kDigits = 6;  // behind them a NUL and a space
  for (; archive.size() >= importer::kTarBlock; archive = archive.subspan(importer::kTarBlock)) {
    const auto field = archive.subspan(148, kDigits + 2);
    const auto digits = field.first(kDigits);
    const auto is_octal = [](std::uint8_t byte) { return byte >= '0' && byte <= '7'; };
    if (!std::all_of(digits.begin(), digits.end(), is_octal)) continue;
    std::fill(field.begin(), field.end(), std::uint8_t{' '});
    const auto header = archive.first(importer::kTarBlock);
    std::array<char, kDigits + 1> text{};
    std::snprintf(text.data(), text.size(), "%06o",
                  std::accumulate(header.begin(), header.end(), 0U));
    std::memcpy(field.data(), text.data(), text.size());
  }
}

}  // namespace imagefs::fuzz

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t capacity);

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t capacity, unsigned int seed) {
  const std::size_t mutated = LLVMFuzzerMutate(data, size, capacity);
  // Now and then a wrong one stays.
  if (seed % 16 != 0) imagefs::fuzz::mend_checksums({data, mutated});
  return mutated;
}
