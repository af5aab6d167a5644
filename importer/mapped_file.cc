#include "importer/mapped_file.h"

#include <sys/mman.h>

#include "blobstore/error.h"

namespace imagefs::importer {

MappedFile::MappedFile(int fd, std::uint64_t size) : size_(size) {
  if (size == 0) return;
  void* const start = mmap(nullptr, size, PROT_READ, MAP_SHARED, fd, 0);
  if (start == MAP_FAILED) throw_errno("mapping a file of cache/");
  start_ = static_cast<const std::byte*>(start);
}

MappedFile::~MappedFile() {
  if (start_ != nullptr) munmap(const_cast<std::byte*>(start_), size_);
}

}  // namespace imagefs::importer
