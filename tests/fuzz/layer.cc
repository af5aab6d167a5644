// Any bytes are a layer, and any two a stack, that can be walked to the end, or an Error.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "blobstore/error.h"
#include "fs/overlay.h"
#include "importer/layer_index_builder.h"
#include "importer/layer_tar.h"
#include "tests/fuzz/mend_checksums.h"
#include "tests/fuzz/walk.h"

namespace {

namespace importer = imagefs::importer;

struct Seen {
  std::string name;
  std::uint64_t offset;
  std::uint64_t size;

  bool operator==(const Seen&) const = default;
};

// Nothing: no tar.
std::optional<std::vector<Seen>> read(std::span<const std::byte> stream, std::size_t piece) {
  std::vector<Seen> seen;
  try {
    importer::LayerTar tar([&](const importer::LayerEntry& entry) {
      seen.push_back({entry.name, entry.offset, entry.size});
    });
    for (; !stream.empty(); stream = stream.subspan(std::min(piece, stream.size())))
      tar.append(stream.first(std::min(piece, stream.size())));
    tar.finish();
  } catch (const imagefs::Error& error) {
    if (error.sentence().empty()) std::abort();
    return std::nullopt;
  }
  return seen;
}

std::shared_ptr<const importer::LayerIndex> index_of(std::span<const std::byte> stream) {
  importer::LayerIndexBuilder builder(-1);
  importer::LayerTar tar([&](const importer::LayerEntry& entry) { builder.add(entry); });
  tar.append(stream);
  const importer::CacheFile file = builder.finish(stream.size());
  auto index = importer::LayerIndex::open(file.fd());
  if (!index) std::abort();
  return index;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto stream = std::as_bytes(std::span(data, size));
  const auto whole = read(stream, std::max<std::size_t>(size, 1));
  if (whole != read(stream, 7)) std::abort();
  if (!whole) return 0;
  const auto index = index_of(stream);
  imagefs::fuzz::walk(imagefs::fs::Overlay({index}), imagefs::fuzz::Index::ours);
  // A layer on top of itself: every name is there twice.
  imagefs::fuzz::walk(imagefs::fs::Overlay({index, index}), imagefs::fuzz::Index::ours);
  return 0;
}
