// Reads the entries of an archive's tar stream, in order, once.
//
//   TarReader tar(source);
//   while (const auto entry = tar.next()) {
//     for (auto piece = tar.data(); !piece.empty(); piece = tar.data()) …
//   }
//   if (!tar.ended()) …                     // the stream was cut
//
// Two readers go over the same bytes: LayerTar, which refuses what Go's archive/tar refuses, and
// libarchive, which delivers the data. An archive about which they disagree is refused: such an
// archive means different things to different tools. Nothing depends on the locale.
//
// Thread safety: one TarReader belongs to one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "importer/byte_source.h"

namespace imagefs::importer {

struct ArchiveEntry {
  char type;         // tar's type flag; '0': a regular file, '1': a hard link, '2': a symlink
  std::string name;  // as the archive gives it
  std::string link;
  std::uint64_t size;  // bytes of data
};

class TarReader {
 public:
  // `source` must outlive it.
  explicit TarReader(ByteSource& source);
  ~TarReader();

  // The next entry; nothing behind the last one, or where the stream is cut. What was left of the
  // data of the entry before is skipped. Throws Error: EBADMSG that says where the tar is corrupt,
  // EOPNOTSUPP for a sparse entry; and what the source throws.
  [[nodiscard]] std::optional<ArchiveEntry> next();
  // The next piece of the entry's data, valid until the next call; empty when there is no more, or
  // where the stream is cut. Throws Error as next() does.
  [[nodiscard]] std::span<const std::byte> data();
  // Whether all of the entry's data has been given out.
  [[nodiscard]] bool entry_whole() const;
  // Whether the end-of-archive marker has passed.
  [[nodiscard]] bool ended() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace imagefs::importer
