// A file's bytes in memory, read-only and shared with the page cache.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace imagefs::importer {

class MappedFile {
 public:
  // Maps the first `size` bytes; the descriptor is not needed afterwards. Throws Error.
  MappedFile(int fd, std::uint64_t size);
  MappedFile(MappedFile&& other) noexcept
      : start_(std::exchange(other.start_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  MappedFile& operator=(MappedFile&&) = delete;
  ~MappedFile();

  [[nodiscard]] std::span<const std::byte> bytes() const { return {start_, size_}; }
  // `count` objects from byte `offset`, which must lie within and be aligned.
  template <typename T>
  [[nodiscard]] std::span<const T> as(std::uint64_t offset, std::uint64_t count) const {
    const auto part = bytes().subspan(offset, count * sizeof(T));
    return {reinterpret_cast<const T*>(part.data()), static_cast<std::size_t>(count)};
  }

 private:
  const std::byte* start_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace imagefs::importer
