// Writes the file of layer_index_format.h: records in any order, in bounded memory.
//
// Thread safety: one writer belongs to one thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "importer/cache_file.h"
#include "importer/external_sort.h"
#include "importer/layer_index_format.h"

namespace imagefs::importer {

// The strings of an index, appended to its file as they come.
class StringPool {
 public:
  StringPool(int fd, std::uint64_t start) : fd_(fd), start_(start) {}

  // Throws Error{EFBIG} when the pool would be larger than 4 GiB.
  std::uint32_t add(std::string_view text);
  // Only of strings added since the last flush().
  [[nodiscard]] std::string_view view(std::uint32_t offset, std::size_t size) const {
    return std::string_view(tail_).substr(offset - flushed_, size);
  }
  [[nodiscard]] std::size_t waiting() const { return tail_.size(); }
  void flush();
  void pad(std::size_t alignment);
  [[nodiscard]] std::uint64_t size() const { return flushed_ + tail_.size(); }
  [[nodiscard]] std::uint64_t sum() const { return sum_; }

 private:
  int fd_;
  std::uint64_t start_;
  std::uint64_t flushed_ = 0;
  std::uint64_t sum_ = 0;
  std::string tail_;
};

class LayerIndexWriter {
 public:
  // `directory_fd`: see CacheFile. `min_free`: bytes that must stay free on its disk. Throws Error.
  explicit LayerIndexWriter(int directory_fd, std::uint64_t min_free = 0);

  [[nodiscard]] StringPool& pool() { return pool_; }
  // Throws Error{EFBIG} over kMaxIndexSize, Error{ENOSPC …}. Strings must have been added to the
  // pool since the last add().
  void add(const IndexRecord& record);
  void add(const IndexLink& link);
  // Writes records and links, each in order, and the header. Spent afterwards.
  [[nodiscard]] CacheFile finish(std::uint64_t layer_size);

 private:
  void check_size() const;
  void spill();
  std::uint64_t write_records(std::string_view names);
  void append(const void* data, std::size_t size);
  void flush();

  CacheFile file_;
  std::uint64_t min_free_;
  StringPool pool_;
  ExternalSort<IndexRecord> records_;
  ExternalSort<IndexLink> links_;
  std::string buffer_;
  std::uint64_t end_ = 0;
  std::uint64_t sum_ = 0;
};

}  // namespace imagefs::importer
