// Writes tar streams of layers for tests: what a test wants there, valid or not.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace imagefs::tests {

struct TarEntry {
  char type = '0';
  std::string name = {};
  std::string data = {};
  std::string link = {};
  std::int64_t mode = 0644;
  std::int64_t uid = 0;
  std::int64_t gid = 0;
  std::int64_t mtime = 0;
  std::int64_t major = 0;
  std::int64_t minor = 0;
  std::vector<std::pair<std::string, std::string>> pax = {};
};

class LayerWriter {
 public:
  // A ustar header, after a PAX one for `pax` and for a name or link of more than 100 bytes, and
  // the data.
  LayerWriter& add(const TarEntry& entry);
  LayerWriter& file(const std::string& name, const std::string& data);
  LayerWriter& directory(const std::string& name, std::int64_t mode = 0755);
  LayerWriter& link(const std::string& name, const std::string& target);
  LayerWriter& symlink(const std::string& name, const std::string& target);
  // Bytes as they are.
  LayerWriter& raw(const std::string& bytes);
  // The stream with its end-of-archive marker.
  [[nodiscard]] std::string str() const { return bytes_ + std::string(1024, '\0'); }
  [[nodiscard]] const std::string& unfinished() const { return bytes_; }

 private:
  std::string bytes_;
};

// One header block; `size` as the field says it. With GNU magic when `gnu`.
[[nodiscard]] std::string tar_header(const TarEntry& entry, std::uint64_t size, bool gnu = false);
// Sets the checksum of a header block that was changed.
[[nodiscard]] std::string with_checksum(std::string block);
// `bytes` filled up with NULs to whole blocks.
[[nodiscard]] std::string padded(std::string bytes);
[[nodiscard]] std::string pax_record(std::string_view key, std::string_view value);

}  // namespace imagefs::tests
