// Streaming decompression of what strangers compressed: gzip, zstd, xz, bzip2, lz4.
//
// Push: bytes go in as they come, decoded bytes go to a sink. Several members or frames in a row
// are one stream (RFC 1952, RFC 8878). Memory: the format's window, bounded by kMaxWindow and taken
// out of the process's budgets (decoder_memory.h), and two blocks of decoded bytes.
//
// Thread safety: one Decoder belongs to one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace imagefs::importer {

enum class Compression { none, gzip, zstd, xz, bzip2, lz4 };

// By the first bytes of a stream; kMagicBytes are enough. A skippable frame (5? 2a 4d 18) is
// zstd's, unless it is whole in `start` and an lz4 frame follows.
inline constexpr std::size_t kMagicBytes = 8;
[[nodiscard]] Compression detect_compression(std::span<const std::byte> start);
[[nodiscard]] std::string name(Compression compression);

inline constexpr std::uint64_t kMaxWindow = 1ULL << 27;  // bytes; zstd --ultra -22 needs 2^27

class Decoder {
 public:
  // Gets the decoded bytes, in blocks of up to 256 KiB. A block stays as it is until the next but
  // one is passed on, so that the last one may still be hashed while the next is decoded.
  using Sink = std::function<void(std::span<const std::byte>)>;

  struct Part {
    std::size_t consumed = 0;
    std::span<const std::byte> block = {};  // decoded; may be empty
    bool more = false;                      // more would come out without further bytes
  };

  // Not for Compression::none.
  [[nodiscard]] static std::unique_ptr<Decoder> make(Compression compression);
  virtual ~Decoder() = default;

  // Decodes all of `bytes`. Throws Error{EBADMSG} for corrupt data or bytes after the end (zeros
  // after a gzip member or an xz stream are padding), Error{EOPNOTSUPP} for a window over
  // kMaxWindow (xz: more than 96 MiB of memory), Error{ENOMEM} when there is no memory for the
  // window, also after having waited for other decoders to end. After an Error the Decoder is
  // spent.
  void append(std::span<const std::byte> bytes, const Sink& sink);
  // The same for whom `bytes` may decode to too much at once: decodes until a block is full or all
  // of `bytes` are consumed. `bytes` may be empty after a Part with `more`.
  [[nodiscard]] virtual Part decode(std::span<const std::byte> bytes) = 0;
  // Whether the stream may end here: after a whole member or frame. Throws Error{EBADMSG} when it
  // may not although nothing is cut: an xz stream's padding comes in fours.
  [[nodiscard]] virtual bool at_end() const = 0;
};

}  // namespace imagefs::importer
