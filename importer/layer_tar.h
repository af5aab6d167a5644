// Reads the tar stream of a layer: what entries it has, and where in the stream their data lies.
//
//   LayerTar tar([&](const LayerEntry& entry) { … });
//   tar.append(bytes);        // as they come, in pieces of any size
//   tar.finish();
//
// ustar, GNU and PAX archives, read as Go's archive/tar does where readers differ: containerd and
// docker read layers with it. Two differences: sparse maps may be longer, and times that do not fit
// are clamped. Memory: an extended header (2 MiB at most) and a sparse map (kMaxSegments).
//
// Thread safety: one LayerTar belongs to one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>

#include "importer/layer_pax.h"
#include "importer/layer_sparse.h"
#include "importer/layer_tar_header.h"

namespace imagefs::importer {

struct LayerEntry {
  char type = '0';  // type flag; sparse files are '0', and what old archives mark by a slash is '5'
  std::string name = {};  // as the archive gives it
  std::string link = {};  // target of a link
  std::int64_t mode = 0;
  std::int64_t uid = 0;
  std::int64_t gid = 0;
  std::int64_t major = 0;
  std::int64_t minor = 0;
  TarTime mtime = {};
  std::uint64_t size = 0;                // bytes of the file, holes included
  std::uint64_t declared_size = 0;       // what the headers say, also for types without data
  std::uint64_t offset = 0;              // in the stream, of the data
  std::optional<SparseMap> sparse = {};  // its segments' data follow each other from `offset`
  bool map_too_long = false;             // a sparse file that cannot be read
  // Other readers find another name, target or size: a long one is empty or has no end within its
  // size, headers before the entry contradict each other, or there are records of a sparse file
  // that is none.
  bool doubtful = false;
  std::map<std::string, std::string> xattrs = {};
};

class LayerTar {
 public:
  using Sink = std::function<void(const LayerEntry&)>;

  explicit LayerTar(Sink sink) : sink_(std::move(sink)) {}

  // Throws Error{EBADMSG} that says where the stream is no tar. What follows the end-of-archive
  // marker is ignored.
  void append(std::span<const std::byte> bytes);
  // Throws Error{EBADMSG} when the stream ends within an entry. The marker may be missing.
  void finish() const;

  // Whether the end-of-archive marker has passed.
  [[nodiscard]] bool ended() const { return state_ == State::ended; }
  // Whether the bytes so far end within the headers of an entry. A start of zeros is none: the
  // marker begins so.
  [[nodiscard]] bool within_headers() const;
  // Bytes of headers and of sparse maps since the last entry.
  [[nodiscard]] std::uint64_t header_bytes() const { return header_bytes_; }
  // Whether a global header gives a name or a size to all entries; Go's reader ignores it.
  [[nodiscard]] bool has_global_name() const { return has_global_name_; }

 private:
  enum class State { header, after_zeros, special, old_sparse, sparse_map, ended };

  void take_block();
  void on_header();
  void note_special();
  [[nodiscard]] bool has_special(char type) const { return specials_.find(type) != specials_.npos; }
  void forget_specials();
  void start_special(std::int64_t size);
  void on_special();
  void on_long_text(bool ends);
  void on_entry();
  void apply_pax();
  void start_data();
  [[nodiscard]] bool looks_sparse() const;
  void start_sparse();
  void start_old_sparse();
  void on_sparse_map();
  void emit_sparse(SparseMap map, bool too_long);
  void emit();
  void skip(std::uint64_t bytes);

  Sink sink_;
  State state_ = State::header;
  TarBlock block_{};
  std::size_t filled_ = 0;      // bytes of block_
  std::uint64_t position_ = 0;  // in the stream, behind what was taken
  std::uint64_t skip_ = 0;      // bytes of data and padding still to pass
  std::uint64_t padding_ = 0;   // of skip_, at its end
  std::uint64_t header_bytes_ = 0;
  char special_type_ = '\0';
  std::size_t special_left_ = 0;
  std::string special_;
  PaxRecords pax_;
  std::string long_name_;
  std::string long_link_;
  std::string specials_;  // types of the headers that were before the entry, each once
  bool doubtful_ = false;
  std::uint64_t data_size_ = 0;  // bytes of the entry's data in the stream
  TarFormat format_ = TarFormat::v7;
  LayerEntry entry_;
  bool has_global_name_ = false;
  OldSparseMap old_map_;
  SparseMapReader map_reader_;
};

}  // namespace imagefs::importer
