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
  void append(std::span<const std::byte> bytes, const Sink& sink) final;

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

  [[noreturn]] void throw_corrupt(const std::string& why) const;
  [[noreturn]] void throw_unsupported(const std::string& why) const;

 private:
  static constexpr std::size_t kBlock = std::size_t{256} << 10;

  [[noreturn]] void throw_error(int errno_value, const std::string& why) const;
  void pass_on(const Sink& sink);

  Compression compression_;
  std::uint64_t position_ = 0;  // of the next byte to consume
  std::array<std::unique_ptr<std::byte[]>, 2> blocks_;
  std::size_t block_ = 0;   // which of the two is being filled
  std::size_t filled_ = 0;  // bytes of it
};

// Views of the same bytes as C libraries want them.
[[nodiscard]] inline const std::uint8_t* as_u8(std::span<const std::byte> bytes) {
  return reinterpret_cast<const std::uint8_t*>(bytes.data());
}
[[nodiscard]] inline std::uint8_t* as_u8(std::span<std::byte> bytes) {
  return reinterpret_cast<std::uint8_t*>(bytes.data());
}

}  // namespace imagefs::importer
