// The decoded bytes of a layer, read at any place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "blobstore/unique_fd.h"
#include "fs/patience.h"

namespace imagefs::fs {

// Thread safety: from any thread.
class LayerBytes {
 public:
  virtual ~LayerBytes() = default;
  // Whether the bytes before `end` are there to be read.
  [[nodiscard]] virtual bool ready(std::uint64_t /*end*/) const { return true; }
  // Waits until they are. Throws Error: EIO when the layer is damaged or ends before, what kept it
  // from being decoded this time (ENOSPC, ENOMEM, EMFILE …), and what `patience` throws.
  virtual void await(std::uint64_t /*end*/, const Patience& /*patience*/) {}
  // Fills all of `into`. Throws Error: EIO when the layer ends before, or cannot be read, EAGAIN
  // when it is not ready yet, what await() throws when it never will be.
  virtual void read(std::span<std::byte> into, std::uint64_t offset) = 0;
  // Whether work is lost when this object goes.
  [[nodiscard]] virtual bool is_costly() const { return false; }
};
using LayerBytesPtr = std::shared_ptr<LayerBytes>;

// Of a file that holds them as they are.
class PlainLayerBytes final : public LayerBytes {
 public:
  explicit PlainLayerBytes(UniqueFd fd) : fd_(std::move(fd)) {}
  void read(std::span<std::byte> into, std::uint64_t offset) override;

 private:
  const UniqueFd fd_;
};

// The same, of a descriptor that somebody else owns.
void read_fully(int fd, std::span<std::byte> into, std::uint64_t offset);

}  // namespace imagefs::fs
