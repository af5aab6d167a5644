#include "importer/decoder.h"

#include <isa-l/crc.h>
#include <lzma.h>

#include <array>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string_view>
#include <vector>

#include "blobstore/error.h"
#include "tests/support/compress.h"

namespace imagefs::importer {
namespace {

using namespace std::string_literals;
using test::compress;
using test::sample;

constexpr std::array kFormats{Compression::gzip, Compression::zstd, Compression::xz,
                              Compression::bzip2, Compression::lz4};
constexpr std::size_t kOutputBlock = 256 << 10;

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

Compression detect(std::string_view start) { return detect_compression(bytes_of(start)); }

struct Decoded {
  std::string text = {};
  bool at_end = false;
};

Decoded decode(Compression compression, std::string_view stored,
               std::size_t chunk = std::string_view::npos) {
  const auto decoder = Decoder::make(compression);
  Decoded decoded;
  for (std::size_t at = 0; at < stored.size(); at += std::min(chunk, stored.size() - at)) {
    decoder->append(bytes_of(stored.substr(at, chunk)), [&](std::span<const std::byte> bytes) {
      BOOST_TEST(!bytes.empty());
      const std::size_t end = decoded.text.size();
      decoded.text.resize(end + bytes.size());
      std::memcpy(decoded.text.data() + end, bytes.data(), bytes.size());
    });
  }
  decoded.at_end = decoder->at_end();
  return decoded;
}

// The errno value that decoding fails with.
std::optional<int> failure(Compression compression, std::string_view stored,
                           std::size_t chunk = std::string_view::npos) {
  try {
    (void)decode(compression, stored, chunk);
  } catch (const Error& error) {
    BOOST_TEST(error.sentence().starts_with(name(compression)));
    return error.errno_value();
  }
  return std::nullopt;
}

std::string little_endian(std::uint32_t value) {
  std::string text;
  for (int shift = 0; shift < 32; shift += 8) text += static_cast<char>(value >> shift & 0xff);
  return text;
}

std::uint32_t crc32(std::string_view text) {
  return crc32_gzip_refl(0, reinterpret_cast<const unsigned char*>(text.data()), text.size());
}

constexpr char kHeaderCrc = 0x02;
constexpr char kExtra = 0x04;
constexpr char kName = 0x08;
constexpr char kComment = 0x10;

// A member with one stored block (RFC 1951, 3.2.4) and the header fields that `flags` announce.
std::string gzip_member(char flags, std::string_view text) {
  std::string member = "\x1f\x8b\x08"s + flags + "\0\0\0\0\0\xff"s;
  if ((flags & kExtra) != 0) member += "\x05\0AB\x01\0C"s;
  if ((flags & kName) != 0) member += "layer.tar\0"s;
  if ((flags & kComment) != 0) member += "a comment\0"s;
  if ((flags & kHeaderCrc) != 0) member += little_endian(crc32(member)).substr(0, 2);
  const auto size = static_cast<std::uint32_t>(text.size());
  member += '\x01' + little_endian(size).substr(0, 2) + little_endian(~size).substr(0, 2);
  return member + std::string(text) + little_endian(crc32(text)) + little_endian(size);
}

// A frame with one raw block "abc" and a window of 2^(10 + exponent) * (1 + mantissa / 8) bytes
// (RFC 8878, 3.1.1.1.2).
std::string zstd_frame(int exponent, int mantissa = 0) {
  const auto descriptor = static_cast<char>(exponent << 3 | mantissa);
  return "\x28\xb5\x2f\xfd\0"s + descriptor + "\x19\0\0abc"s;
}

// A stream of blocks "abc", each with a dictionary of 2^n bytes.
std::string xz_stream(const std::vector<int>& dictionaries) {
  lzma_options_lzma options{};
  BOOST_TEST_REQUIRE(lzma_lzma_preset(&options, 0) == 0);
  std::array<lzma_filter, 2> filters{{{LZMA_FILTER_LZMA2, &options}, {LZMA_VLI_UNKNOWN, nullptr}}};
  lzma_stream stream = LZMA_STREAM_INIT;
  std::array<std::uint8_t, 4096> out{};
  stream.next_out = out.data();
  stream.avail_out = out.size();
  const std::string text = "abc";
  for (std::size_t i = 0; i < dictionaries.size(); ++i) {
    options.dict_size = 1U << dictionaries[i];
    BOOST_TEST_REQUIRE((i == 0 ? lzma_stream_encoder(&stream, filters.data(), LZMA_CHECK_CRC32)
                               : lzma_filters_update(&stream, filters.data())) == LZMA_OK);
    stream.next_in = reinterpret_cast<const std::uint8_t*>(text.data());
    stream.avail_in = text.size();
    const bool last = i + 1 == dictionaries.size();
    BOOST_TEST_REQUIRE(lzma_code(&stream, last ? LZMA_FINISH : LZMA_FULL_FLUSH) == LZMA_STREAM_END);
  }
  lzma_end(&stream);
  return {reinterpret_cast<const char*>(out.data()), stream.total_out};
}

std::string skippable_frame(std::string_view content) {
  return "\x5f\x2a\x4d\x18"s + little_endian(static_cast<std::uint32_t>(content.size())) +
         std::string(content);
}

BOOST_AUTO_TEST_SUITE(decoder)

BOOST_AUTO_TEST_CASE(a_format_is_known_by_its_first_bytes) {
  for (const Compression format : kFormats) {
    BOOST_TEST_CONTEXT(name(format)) {
      BOOST_TEST((detect(compress(format, "abc").substr(0, kMagicBytes)) == format));
      BOOST_TEST((detect(compress(format, "").substr(0, kMagicBytes)) == format));
    }
  }
}

BOOST_AUTO_TEST_CASE(skippable_frames_belong_to_what_follows_them) {
  const std::string skippable = skippable_frame("") + skippable_frame("either's");
  const std::string lz4 = compress(Compression::lz4, "abc");
  BOOST_TEST((detect(skippable) == Compression::zstd));
  BOOST_TEST((detect(skippable + compress(Compression::zstd, "")) == Compression::zstd));
  BOOST_TEST((detect(skippable + lz4) == Compression::lz4));
  BOOST_TEST((detect((skippable + lz4).substr(0, skippable.size() + 3)) == Compression::zstd));
  BOOST_TEST((detect(skippable.substr(0, 7)) == Compression::zstd));
  BOOST_TEST(decode(Compression::lz4, skippable + lz4, 1).text == "abc");
  BOOST_CHECK_EXCEPTION(decode(Compression::zstd, skippable + lz4), Error, [](const Error& error) {
    return error.errno_value() == EBADMSG && error.sentence().find("lz4") != std::string::npos;
  });
}

BOOST_AUTO_TEST_CASE(what_only_resembles_a_magic_is_not_compressed) {
  for (const std::string_view start : {"", "\x1f\x8b", "\x1f\x8b\x07", "BZh91.tar", "BZh01AY&SY",
                                       "\x60\x2a\x4d\x18", "\xfd\x37zXZa", "etc/passwd"}) {
    BOOST_TEST((detect(start) == Compression::none));
  }
}

BOOST_AUTO_TEST_CASE(what_was_compressed_comes_back) {
  for (const Compression format : kFormats) {
    for (const std::size_t size :
         {std::size_t{0}, std::size_t{1}, std::size_t{70'000}, kOutputBlock - 1, kOutputBlock,
          kOutputBlock + 1, 4 * kOutputBlock, std::size_t{1'500'000}}) {
      const std::string text = sample(size);
      const std::string stored = compress(format, text);
      for (const std::size_t chunk : {std::size_t{1009}, std::size_t{1} << 20, stored.size()}) {
        BOOST_TEST_CONTEXT(name(format) << ", " << size << " bytes in chunks of " << chunk) {
          const Decoded decoded = decode(format, stored, chunk);
          BOOST_TEST((decoded.text == text));
          BOOST_TEST(decoded.at_end);
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(long_runs_come_out_in_blocks) {
  const std::string text(9 * kOutputBlock + 1, 'x');
  for (const Compression format : kFormats) {
    const std::string stored = compress(format, text);
    for (const std::size_t chunk : {std::size_t{1}, stored.size()}) {
      BOOST_TEST_CONTEXT(name(format)) { BOOST_TEST((decode(format, stored, chunk).text == text)); }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_part_is_a_block_at_most) {
  const std::string text(9 * kOutputBlock + 1, 'x');
  for (const Compression format : kFormats) {
    const auto decoder = Decoder::make(format);
    const std::string stored = compress(format, text);
    std::span<const std::byte> left = bytes_of(stored);
    std::size_t size = 0;
    for (bool more = true; more;) {
      const Decoder::Part part = decoder->decode(left);
      BOOST_TEST(part.block.size() <= kOutputBlock);
      size += part.block.size();
      left = left.subspan(part.consumed);
      more = !left.empty() || part.more;
    }
    BOOST_TEST_CONTEXT(name(format)) {
      BOOST_TEST(size == text.size());
      BOOST_TEST(decoder->at_end());
    }
  }
}

BOOST_AUTO_TEST_CASE(a_block_stays_until_the_next_but_one) {
  const std::string text = sample(4 * kOutputBlock);
  for (const Compression format : kFormats) {
    const auto decoder = Decoder::make(format);
    std::span<const std::byte> last;
    std::string read;
    const auto read_last = [&] {
      read.append(reinterpret_cast<const char*>(last.data()), last.size());
    };
    decoder->append(bytes_of(compress(format, text)), [&](std::span<const std::byte> bytes) {
      read_last();
      last = bytes;
    });
    read_last();
    BOOST_TEST((read == text));
  }
}

BOOST_AUTO_TEST_CASE(several_in_a_row_are_one_stream) {
  for (const Compression format : kFormats) {
    const std::string stored =
        compress(format, "one ") + compress(format, "") + compress(format, "two");
    for (std::size_t chunk = 1; chunk <= stored.size(); ++chunk) {
      BOOST_TEST_CONTEXT(name(format) << " in chunks of " << chunk) {
        const Decoded decoded = decode(format, stored, chunk);
        BOOST_TEST(decoded.text == "one two");
        BOOST_TEST(decoded.at_end);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_stream_that_is_cut_is_not_at_its_end) {
  for (const Compression format : kFormats) {
    const std::string stored = compress(format, sample(1000));
    for (std::size_t size = 0; size < stored.size(); ++size) {
      BOOST_TEST_CONTEXT(name(format) << " cut to " << size) {
        BOOST_TEST(!decode(format, std::string_view(stored).substr(0, size)).at_end);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_damaged_stream_never_decodes_to_something_else) {
  const std::string text = sample(200);
  for (const Compression format : kFormats) {
    const std::string stored = compress(format, text);
    for (std::size_t bit = 0; bit < 8 * stored.size(); ++bit) {
      std::string damaged = stored;
      damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
      BOOST_TEST_CONTEXT(name(format) << ", bit " << bit) {
        try {
          const Decoded decoded = decode(format, damaged);
          BOOST_TEST((!decoded.at_end || decoded.text == text));
        } catch (const Error& error) {
          BOOST_TEST((error.errno_value() == EBADMSG || error.errno_value() == EOPNOTSUPP));
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(bytes_after_the_end_are_refused) {
  for (const Compression format : kFormats) {
    const std::string stored = compress(format, "abc") + "some other text that follows";
    for (const std::size_t chunk : {std::size_t{1}, stored.size()}) {
      BOOST_TEST_CONTEXT(name(format)) { BOOST_TEST((failure(format, stored, chunk) == EBADMSG)); }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_few_bytes_after_the_end_are_refused_unless_they_may_go_on) {
  for (const Compression format : kFormats) {
    const std::string stored = compress(format, "abc");
    const std::size_t magic = format == Compression::xz ? 6 : 3;
    for (std::size_t size = 0; size <= magic; ++size) {
      const std::string begun = stored + stored.substr(0, size);
      for (const std::size_t chunk : {std::size_t{1}, begun.size() + 1}) {
        BOOST_TEST_CONTEXT(name(format) << " and " << size << " bytes in chunks of " << chunk) {
          BOOST_TEST(decode(format, begun, chunk).at_end == (size == 0));
          if (size < magic) BOOST_TEST((failure(format, begun + '!', chunk) == EBADMSG));
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(zeros_after_a_gzip_member_are_padding) {
  const std::string padded = compress(Compression::gzip, "abc") + std::string(1000, '\0');
  BOOST_TEST(decode(Compression::gzip, padded).at_end);
  BOOST_TEST(decode(Compression::gzip, padded, 1).text == "abc");
  BOOST_TEST((failure(Compression::gzip, padded + 'x') == EBADMSG));
  BOOST_TEST((failure(Compression::gzip, padded + compress(Compression::gzip, "d")) == EBADMSG));
}

BOOST_AUTO_TEST_CASE(every_gzip_header_field_is_read_and_its_checksum_checked) {
  for (int flags = 0; flags < 0x20; ++flags) {
    const std::string member = gzip_member(static_cast<char>(flags), "abc");
    for (std::size_t chunk = 1; chunk <= member.size(); ++chunk) {
      BOOST_TEST_CONTEXT("flags " << flags << " in chunks of " << chunk) {
        const Decoded decoded = decode(Compression::gzip, member + member, chunk);
        BOOST_TEST(decoded.text == "abcabc");
        BOOST_TEST(decoded.at_end);
      }
    }
  }
  std::string damaged = gzip_member(kHeaderCrc | kName, "abc");
  damaged[12] ^= 1;
  for (std::size_t chunk = 1; chunk <= damaged.size(); ++chunk) {
    BOOST_TEST((failure(Compression::gzip, damaged, chunk) == EBADMSG));
  }
}

BOOST_AUTO_TEST_CASE(unknown_gzip_flags_are_refused) {
  BOOST_TEST((failure(Compression::gzip, gzip_member('\x20', "abc")) == EBADMSG));
  BOOST_TEST((failure(Compression::gzip, gzip_member('\x80', "abc"), 1) == EBADMSG));
}

BOOST_AUTO_TEST_CASE(a_wrong_gzip_length_or_crc_is_refused) {
  const std::string member = gzip_member(0, "abc");
  for (std::size_t back = 1; back <= 8; ++back) {
    std::string damaged = member;
    damaged[damaged.size() - back] ^= 1;
    for (std::size_t chunk = 1; chunk <= member.size(); ++chunk) {
      BOOST_TEST((failure(Compression::gzip, damaged, chunk) == EBADMSG));
    }
  }
}

BOOST_AUTO_TEST_CASE(skippable_frames_decode_to_nothing) {
  const std::string skippable = skippable_frame("") + skippable_frame("table of contents");
  const std::string stored = skippable + compress(Compression::zstd, "abc") + skippable;
  for (std::size_t chunk = 1; chunk <= stored.size(); ++chunk) {
    const Decoded decoded = decode(Compression::zstd, stored, chunk);
    BOOST_TEST(decoded.text == "abc");
    BOOST_TEST(decoded.at_end);
  }
  const Decoded nothing = decode(Compression::zstd, skippable);
  BOOST_TEST(nothing.text.empty());
  BOOST_TEST(nothing.at_end);
  BOOST_TEST(!decode(Compression::zstd, skippable.substr(0, skippable.size() - 1)).at_end);
}

BOOST_AUTO_TEST_CASE(lz4_frames_may_have_skippable_ones_between) {
  const std::string frame = compress(Compression::lz4, "abc");
  const std::string stored = frame + skippable_frame("") + skippable_frame("between") + frame;
  for (std::size_t chunk = 1; chunk <= stored.size(); ++chunk) {
    const Decoded decoded = decode(Compression::lz4, stored, chunk);
    BOOST_TEST(decoded.text == "abcabc");
    BOOST_TEST(decoded.at_end);
  }
}

BOOST_AUTO_TEST_CASE(a_zstd_window_has_a_limit) {
  BOOST_TEST(decode(Compression::zstd, zstd_frame(17)).text == "abc");
  BOOST_TEST((failure(Compression::zstd, zstd_frame(17, 1)) == EOPNOTSUPP));
  BOOST_TEST((failure(Compression::zstd, zstd_frame(21)) == EOPNOTSUPP));
}

BOOST_AUTO_TEST_CASE(zstd_frames_with_larger_windows_may_follow) {
  const std::string stored = zstd_frame(0) + zstd_frame(13) + zstd_frame(17);
  BOOST_TEST(decode(Compression::zstd, stored, 1).text == "abcabcabc");
}

BOOST_AUTO_TEST_CASE(an_archive_may_need_a_larger_window_while_a_layer_is_decoded) {
  const auto ignore = [](std::span<const std::byte>) {};
  const auto archive = Decoder::make(Compression::zstd);
  archive->append(bytes_of(zstd_frame(0)), ignore);
  const auto layer = Decoder::make(Compression::zstd);
  layer->append(bytes_of(zstd_frame(16)), ignore);
  archive->append(bytes_of(zstd_frame(17)), ignore);
  layer->append(bytes_of(zstd_frame(17)), ignore);
  BOOST_TEST(archive->at_end());
  BOOST_TEST(layer->at_end());
}

BOOST_AUTO_TEST_CASE(xz_streams_and_blocks_with_larger_dictionaries_may_follow) {
  const std::string small = xz_stream({16, 20});
  const std::string large = xz_stream({16, 26, 20});
  BOOST_TEST(decode(Compression::xz, small + large + small + large, 1).text ==
             "abcabc"
             "abcabcabc"
             "abcabc"
             "abcabcabc");
}

BOOST_AUTO_TEST_CASE(an_xz_dictionary_has_a_limit) {
  std::string stored = compress(Compression::xz, "abc");
  constexpr std::size_t block = 12;    // the first block's header, behind the stream's
  constexpr std::size_t property = 4;  // in it: where the filter says how large its dictionary is
  const std::size_t size = (static_cast<std::size_t>(stored[block]) + 1) * 4;
  stored[block + property] = 30;  // 128 MiB
  const auto* header = reinterpret_cast<const std::uint8_t*>(stored.data()) + block;
  stored.replace(block + size - 4, 4, little_endian(lzma_crc32(header, size - 4, 0)));
  BOOST_TEST((failure(Compression::xz, stored) == EOPNOTSUPP));
}

BOOST_AUTO_TEST_CASE(xz_padding_comes_in_fours) {
  const std::string stream = compress(Compression::xz, "abc");
  const std::string padded = stream + std::string(8, '\0');
  BOOST_TEST(decode(Compression::xz, padded).at_end);
  BOOST_TEST(decode(Compression::xz, padded + stream, 3).text == "abcabc");
  BOOST_TEST((failure(Compression::xz, stream + std::string(6, '\0')) == EBADMSG));
  BOOST_TEST((failure(Compression::xz, stream + std::string(6, '\0') + stream) == EBADMSG));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace imagefs::importer
