// What the decoders have in common: a loop over the steps of a C library, and blocks for its
// output.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "importer/decoder.h"

namespace imagefs::importer {

class StepDecoder : public Decoder {
 public:
  [[nodiscard]] Part decode(std::span<const std::byte> bytes) final;

 protected:
  struct Step {
    std::size_t consumed = 0;
    std::size_t produced = 0;
  };

  explicit StepDecoder(Compression compression);

  // Decodes some of `in` (at most 1 GiB, may be empty) into `out` (never empty). Called again while
  // there is input, or while `out` was filled. A step that does nothing with input that is there is
  // an error.
  virtual Step step(std::span<const std::byte> in, std::span<std::byte> out) = 0;

  // The next byte to consume begins a member, stream or frame.
  void begin_member() { member_ = position_; }
  // Throws unless `in` goes on as a member with this magic does. C libraries look at it late.
  void check_magic(std::span<const std::byte> in, std::span<const std::byte> magic) const;
  // What begins a member is none.
  [[noreturn]] void throw_no_member() const;
  [[noreturn]] void throw_corrupt(const std::string& why) const;
  [[noreturn]] void throw_unsupported(const std::string& why) const;

 private:
  static constexpr std::size_t kBlock = std::size_t{256} << 10;

  [[noreturn]] void throw_error(int errno_value, const std::string& why) const;

  Compression compression_;
  std::uint64_t position_ = 0;  // of the next byte to consume
  std::uint64_t member_ = 0;    // of the member's first byte
  std::array<std::unique_ptr<std::byte[]>, 2> blocks_;
  std::size_t block_ = 0;  // which of the two is being filled
};

// Views of the same bytes as C libraries want them.
[[nodiscard]] inline const std::uint8_t* as_u8(std::span<const std::byte> bytes) {
  return reinterpret_cast<const std::uint8_t*>(bytes.data());
}
[[nodiscard]] inline std::uint8_t* as_u8(std::span<std::byte> bytes) {
  return reinterpret_cast<std::uint8_t*>(bytes.data());
}

}  // namespace imagefs::importer
