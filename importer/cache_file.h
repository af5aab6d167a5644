// A file on its way into a directory of a store's cache/.
//
// It has no name until it is published (O_TMPFILE; where a filesystem has none, a name that is
// removed with the object), so that a crash leaves nothing: what it left of such a name, or of the
// one that a file has while it takes another's place, goes with the next collection
// (blobstore/temporary_file.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "blobstore/unique_fd.h"

namespace imagefs::importer {

// Opens cache/<name> below a store's directory, and makes it when it is not there. An empty
// UniqueFd when the store cannot be written.
[[nodiscard]] UniqueFd open_cache(int store_fd, const std::string& name);

// The same for reading; it is not made. An empty UniqueFd when it is not there.
[[nodiscard]] UniqueFd find_cache(int store_fd, const std::string& name);

class CacheFile {
 public:
  // An empty file, for reading and writing. `directory_fd`: from open_cache(), or -1 for a file
  // that cannot be published, in the directory for temporary files. Throws Error.
  explicit CacheFile(int directory_fd);
  CacheFile(CacheFile&& other) noexcept;
  CacheFile& operator=(CacheFile&&) = delete;
  ~CacheFile();

  [[nodiscard]] int fd() const noexcept { return fd_.get(); }
  [[nodiscard]] UniqueFd take_fd() && { return std::move(fd_); }
  // Gives the file its name; one that has it is replaced. Throws Error.
  void publish(int directory_fd, const std::string& name);

 private:
  void make_named(int directory_fd);

  UniqueFd fd_;
  UniqueFd directory_;     // of the temporary name
  std::string temporary_;  // empty: none
};

// All of it, whatever write(2) takes at a time. Throws Error.
void write_at(int fd, const void* data, std::size_t size, std::uint64_t offset);

}  // namespace imagefs::importer
