#include "importer/layer_tar_header.h"

#include <algorithm>
#include <cerrno>
#include <charconv>

#include "blobstore/error.h"

namespace imagefs::importer {
namespace {

// Offset and length of a field; POSIX.1-2001 ustar, and GNU tar's and star's variants of it.
struct Field {
  std::size_t offset;
  std::size_t length;
};
constexpr Field kName{0, 100};
constexpr Field kMode{100, 8};
constexpr Field kUid{108, 8};
constexpr Field kGid{116, 8};
constexpr Field kSize{124, 12};
constexpr Field kMtime{136, 12};
constexpr Field kChecksum{148, 8};
constexpr Field kType{156, 1};
constexpr Field kLink{157, 100};
constexpr Field kMagic{257, 8};
constexpr Field kMajor{329, 8};
constexpr Field kMinor{337, 8};
constexpr Field kPrefix{345, 155};
constexpr Field kStarPrefix{345, 131};
constexpr Field kStarTrailer{508, 4};
constexpr Field kGnuAccessTime{345, 12};
constexpr Field kGnuChangeTime{357, 12};

std::string_view view(const TarBlock& block, Field field) {
  return std::string_view(block.data(), block.size()).substr(field.offset, field.length);
}

TarFormat format_of(const TarBlock& block) {
  const std::string_view magic = view(block, kMagic);
  if (magic == std::string_view("ustar  \0", 8)) return TarFormat::gnu;
  if (magic != std::string_view("ustar\00000", 8)) return TarFormat::v7;
  const bool star = view(block, kStarTrailer) == std::string_view("tar\0", 4);
  return star ? TarFormat::star : TarFormat::ustar;
}

// Some old writers summed signed characters.
bool checksum_fits(const TarBlock& block) {
  std::int64_t plain = 0;
  std::int64_t with_sign = 0;
  for (std::size_t i = 0; i < block.size(); ++i) {
    const bool own = i >= kChecksum.offset && i < kChecksum.offset + kChecksum.length;
    const char c = own ? ' ' : block[i];
    plain += static_cast<unsigned char>(c);
    with_sign += static_cast<signed char>(c);
  }
  const std::int64_t said = parse_number(view(block, kChecksum));
  return said == plain || said == with_sign;
}

bool is_number(std::string_view field) {
  try {
    static_cast<void>(parse_number(field));
    return true;
  } catch (const Error&) {
    return false;
  }
}

bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return (c & 0x80) == 0; });
}

// Go before 1.8 wrote GNU headers with a ustar prefix where GNU tar has times.
std::string gnu_prefix(const TarBlock& block) {
  for (const Field time : {kGnuAccessTime, kGnuChangeTime}) {
    const std::string_view field = view(block, time);
    if (field[0] == '\0' || is_number(field)) continue;
    const std::string_view prefix = view(block, kPrefix);
    return is_ascii(parse_text(prefix)) ? parse_text(prefix) : std::string();
  }
  return {};
}

std::string prefix_of(const TarBlock& block, TarFormat format) {
  switch (format) {
    case TarFormat::v7:
      return {};
    case TarFormat::ustar:
      return parse_text(view(block, kPrefix));
    case TarFormat::star:
      return parse_text(view(block, kStarPrefix));
    case TarFormat::gnu:
      return gnu_prefix(block);
  }
  return {};
}

std::int64_t parse_base256(std::string_view field) {
  const unsigned char invert = (field[0] & 0x40) != 0 ? 0xff : 0x00;
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < field.size(); ++i) {
    auto byte = static_cast<unsigned char>(static_cast<unsigned char>(field[i]) ^ invert);
    if (i == 0) byte &= 0x7f;
    if (value >> 56 != 0) throw Error(EBADMSG, "a number of more than 63 bits");
    value = value << 8 | byte;
  }
  if (value >> 63 != 0) throw Error(EBADMSG, "a number of more than 63 bits");
  const auto number = static_cast<std::int64_t>(value);
  return invert != 0 ? ~number : number;
}

}  // namespace

bool is_zero(const TarBlock& block) {
  return std::ranges::all_of(block, [](char c) { return c == '\0'; });
}

std::string parse_text(std::string_view field) {
  return std::string(field.substr(0, field.find('\0')));
}

std::int64_t parse_number(std::string_view field) {
  if (!field.empty() && (field[0] & 0x80) != 0) return parse_base256(field);
  constexpr std::string_view blank(" \0", 2);
  const std::size_t first = field.find_first_not_of(blank);
  if (first == std::string_view::npos) return 0;
  std::string_view digits = field.substr(first, field.find_last_not_of(blank) - first + 1);
  digits = digits.substr(0, digits.find('\0'));
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 8);
  if (error != std::errc() || end != digits.data() + digits.size() || value >> 63 != 0) {
    throw Error(EBADMSG, "a header field that should be an octal number is none");
  }
  return static_cast<std::int64_t>(value);
}

bool is_header_only(char type) { return type >= '1' && type <= '6'; }

TarHeader parse_header(const TarBlock& block) {
  if (!checksum_fits(block)) throw Error(EBADMSG, "a header has a wrong checksum");
  const TarFormat format = format_of(block);
  TarHeader header{.format = format,
                   .type = view(block, kType)[0],
                   .name = parse_text(view(block, kName)),
                   .link = parse_text(view(block, kLink)),
                   .mode = parse_number(view(block, kMode)),
                   .uid = parse_number(view(block, kUid)),
                   .gid = parse_number(view(block, kGid)),
                   .size = parse_number(view(block, kSize)),
                   .mtime = parse_number(view(block, kMtime)),
                   .major = 0,
                   .minor = 0};
  if (format != TarFormat::v7) {
    header.major = parse_number(view(block, kMajor));
    header.minor = parse_number(view(block, kMinor));
  }
  const std::string prefix = prefix_of(block, format);
  if (!prefix.empty()) header.name = prefix + "/" + header.name;
  return header;
}

}  // namespace imagefs::importer
