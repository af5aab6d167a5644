#include "importer/tar_header.h"

#include <array>
#include <cstring>

namespace imagefs::importer {
namespace {

using Block = std::array<char, kTarBlock>;

constexpr std::uint64_t kMaxOctalSize = 077777777777;  // what 11 octal digits hold

void put(Block& header, std::size_t offset, std::string_view text) {
  std::memcpy(header.data() + offset, text.data(), text.size());
}

std::string octal(std::uint64_t value, std::size_t digits) {
  std::string text(digits, '0');
  for (std::size_t i = digits; i-- > 0; value >>= 3) text[i] = static_cast<char>('0' + (value & 7));
  return text;
}

// GNU's base-256 form for what 11 octal digits cannot hold; every reader of large tars knows it.
std::string size_field(std::uint64_t size) {
  if (size <= kMaxOctalSize) return octal(size, 11);
  std::string text(12, '\0');
  text[0] = static_cast<char>(0x80);
  for (std::size_t i = 12; i-- > 4; size >>= 8) text[i] = static_cast<char>(size & 0xff);
  return text;
}

}  // namespace

std::string tar_header(std::string_view name, TarType type, std::uint64_t size) {
  Block header{};
  put(header, 0, name);
  put(header, 100, type == TarType::directory ? "0000755" : "0000644");
  put(header, 108, "0000000");
  put(header, 116, "0000000");
  put(header, 124, size_field(size));
  put(header, 136, octal(0, 11));
  put(header, 148, "        ");
  header[156] = static_cast<char>(type);
  put(header, 257,
      size <= kMaxOctalSize ? std::string_view("ustar\00000", 8)
                            : std::string_view("ustar  \0", 8));
  std::uint64_t sum = 0;
  for (const char c : header) sum += static_cast<unsigned char>(c);
  put(header, 148, octal(sum, 6));
  header[154] = '\0';
  return {header.data(), header.size()};
}

std::string tar_padding(std::uint64_t size) { return std::string(tar_padding_size(size), '\0'); }

std::string tar_end() { return std::string(2 * kTarBlock, '\0'); }

}  // namespace imagefs::importer
