// Any bytes with the right sums are an index that can be walked to the end, or an Error.
#include "importer/layer_index.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string>

#include "blobstore/error.h"
#include "blobstore/unique_fd.h"
#include "fs/overlay.h"
#include "importer/cache_file.h"
#include "importer/index_sum.h"
#include "importer/layer_index_format.h"
#include "tests/fuzz/walk.h"

namespace {

namespace importer = imagefs::importer;

// What keeps accidents out must not keep the fuzzer out.
void set_sums(std::span<std::byte> file) {
  importer::IndexHeader header{};
  std::memcpy(&header, file.data(), sizeof header);
  header.body_sum = importer::add_to_sum(0, file.subspan(sizeof header));
  header.header_sum = importer::add_to_sum(
      0, std::as_bytes(std::span(&header, 1)).first(offsetof(importer::IndexHeader, header_sum)));
  std::memcpy(file.data(), &header, sizeof header);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string bytes(reinterpret_cast<const char*>(data), size);
  if (size >= sizeof(importer::IndexHeader)) set_sums(std::as_writable_bytes(std::span(bytes)));
  const imagefs::UniqueFd file(::memfd_create("index", MFD_CLOEXEC));
  importer::write_at(file.get(), bytes.data(), bytes.size(), 0);
  const auto index = importer::LayerIndex::open(file.get());
  if (!index) return 0;
  try {
    imagefs::fuzz::walk(imagefs::fs::Overlay({index, index}), imagefs::fuzz::Index::strangers);
  } catch (const imagefs::Error& error) {
    if (error.sentence().empty()) std::abort();
  }
  return 0;
}
