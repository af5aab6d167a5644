// An OCI layout in a directory, read as the OCI archive that holds the same files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "blobstore/unique_fd.h"
#include "importer/byte_source.h"

namespace imagefs::importer {

class LayoutSource final : public ByteSource {
 public:
  // Lists the layout. Throws Error: EINVAL when it has no oci-layout, EIO when one of its files is
  // something else, what the system says else. Symbolic links are not followed.
  explicit LayoutSource(UniqueFd directory);

  // Throws Error{EIO} when a file is not as long as it was when the layout was listed.
  [[nodiscard]] std::span<const std::byte> next() override;

  // Bytes that next() gives in all.
  [[nodiscard]] std::uint64_t size() const { return size_; }

 private:
  struct File {
    std::string name;  // in its directory
    std::uint64_t size;
    bool is_blob;
  };

  void list(const UniqueFd& directory, const std::string& name, bool is_blob);
  [[nodiscard]] std::string path_of(const File& file) const;
  std::span<const std::byte> begin_next_file();
  std::span<const std::byte> read_file();

  UniqueFd root_;
  UniqueFd blobs_;  // blobs/sha256; empty when there is none
  std::vector<File> files_;
  std::uint64_t size_ = 0;

  std::size_t begun_ = 0;   // files whose header was given
  UniqueFd file_;           // the last of them
  std::uint64_t left_ = 0;  // bytes of it
  bool ended_ = false;
  std::string text_;  // padding and a header
  std::vector<std::byte> buffer_;
};

}  // namespace imagefs::importer
