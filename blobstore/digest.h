// SHA-256 digests, as the OCI image-spec writes them: "sha256:" and 64 lower-case hex digits.
//
// Other algorithms of the image-spec (sha512) are not supported: parse() gives nothing for them.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace imagefs::blobstore {

class Digest {
 public:
  static constexpr std::size_t kSize = 32;  // bytes, FIPS 180-4

  explicit Digest(const std::array<std::uint8_t, kSize>& bytes) noexcept : bytes_(bytes) {}
  // "sha256:<64 lower-case hex>"; nothing for any other text.
  [[nodiscard]] static std::optional<Digest> parse(std::string_view text);
  // "<64 lower-case hex>"; nothing for any other text.
  [[nodiscard]] static std::optional<Digest> from_hex(std::string_view hex);

  [[nodiscard]] std::string hex() const;
  [[nodiscard]] std::string str() const { return "sha256:" + hex(); }
  [[nodiscard]] const std::array<std::uint8_t, kSize>& bytes() const noexcept { return bytes_; }
  auto operator<=>(const Digest&) const = default;

 private:
  std::array<std::uint8_t, kSize> bytes_;
};

// A running SHA-256 (OpenSSL's EVP, which uses the CPU's SHA instructions). Movable; one thread.
class Sha256 {
 public:
  Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  ~Sha256();

  void update(std::span<const std::byte> bytes);
  // The digest of all that was given. Spent afterwards.
  [[nodiscard]] Digest finish();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

[[nodiscard]] Digest sha256(std::string_view bytes);

}  // namespace imagefs::blobstore

template <>
struct std::hash<imagefs::blobstore::Digest> {
  std::size_t operator()(const imagefs::blobstore::Digest& digest) const noexcept;
};
