// A ByteSource whose first bytes can be looked at before they are read, and that counts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "importer/byte_source.h"

namespace imagefs::importer {

class PeekedSource final : public ByteSource {
 public:
  // `on_bytes`: called with the number of bytes of each piece as it arrives.
  PeekedSource(ByteSource& source, std::function<void(std::size_t)> on_bytes);

  // The first `count` bytes, fewer when there are no more. Only before the first next().
  [[nodiscard]] std::span<const std::byte> peek(std::size_t count);
  // What peek() has seen so far, also while it waits for more.
  [[nodiscard]] std::span<const std::byte> peeked() const { return start_; }
  [[nodiscard]] std::span<const std::byte> next() override;
  void check() override { source_.check(); }

 private:
  std::span<const std::byte> take();

  ByteSource& source_;
  const std::function<void(std::size_t)> on_bytes_;
  std::vector<std::byte> start_;
  bool start_given_ = false;
};

}  // namespace imagefs::importer
