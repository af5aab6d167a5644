// Where an archive's bytes come from: a file, a pipe, a mount's ingest/, a decoder.
#pragma once

#include <cstddef>
#include <span>

namespace imagefs::importer {

class ByteSource {
 public:
  virtual ~ByteSource() = default;
  // The next bytes, in order; empty at the end, and then for ever. The span is valid until the next
  // call. Big blocks (256 KiB or more) are faster. Throws Error.
  [[nodiscard]] virtual std::span<const std::byte> next() = 0;
  // Throws the Error that next() would throw now without waiting for bytes; who waits for something
  // else asks now and then. The same thread as next().
  virtual void check() {}
};

}  // namespace imagefs::importer
