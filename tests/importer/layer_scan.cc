#include "importer/layer_scan.h"

#include <algorithm>
#include <array>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "blobstore/error.h"
#include "tests/support/compress.h"

namespace imagefs::importer {
namespace {

using blobstore::sha256;
using test::compress;
using test::sample;

constexpr std::size_t kBlock = 512;
constexpr std::array kFormats{Compression::gzip, Compression::zstd, Compression::xz,
                              Compression::bzip2};

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

std::string octal(std::size_t value, int width) {
  std::string digits(static_cast<std::size_t>(width), '0');
  for (auto digit = digits.rbegin(); value > 0; ++digit, value /= 8) {
    *digit = static_cast<char>('0' + value % 8);
  }
  return digits;
}

// A tar with one file (POSIX ustar).
std::string tar_of(const std::string& name, const std::string& content) {
  std::string header(kBlock, '\0');
  header.replace(0, name.size(), name);
  header.replace(100, 7, "0000644");
  header.replace(108, 7, "0000000");
  header.replace(116, 7, "0000000");
  header.replace(124, 11, octal(content.size(), 11));
  header.replace(136, 11, octal(0, 11));
  header.replace(148, 8, 8, ' ');
  header.replace(156, 1, "0");
  header.replace(257, 8, std::string("ustar\00000", 8));
  std::size_t sum = 0;
  for (const char c : header) sum += static_cast<unsigned char>(c);
  header.replace(148, 7, octal(sum, 6) + '\0');
  const std::size_t padding = (kBlock - content.size() % kBlock) % kBlock;
  return header + content + std::string(padding + 2 * kBlock, '\0');
}

LayerFacts scan(std::string_view stored, std::size_t chunk = std::string_view::npos,
                const Limits& limits = {}) {
  LayerScan layer(limits);
  for (std::size_t at = 0; at < stored.size(); at += std::min(chunk, stored.size() - at)) {
    layer.append(bytes_of(stored.substr(at, chunk)));
  }
  return layer.finish(sha256(stored));
}

// The errno value that a scan fails with.
std::optional<int> failure(std::string_view stored, const Limits& limits = {}) {
  try {
    (void)scan(stored, std::string_view::npos, limits);
  } catch (const Error& error) {
    return error.errno_value();
  }
  return std::nullopt;
}

BOOST_AUTO_TEST_SUITE(layer_scan)

BOOST_AUTO_TEST_CASE(the_diff_id_of_a_plain_layer_is_its_digest) {
  const std::string tar = tar_of("etc/passwd", sample(100'000));
  for (const std::size_t chunk : {std::size_t{1}, std::size_t{511}, tar.size()}) {
    const LayerFacts facts = scan(tar, chunk);
    BOOST_TEST((facts.compression == Compression::none));
    BOOST_TEST((facts.diff_id == sha256(tar)));
    BOOST_TEST(facts.decoded_size == tar.size());
  }
}

BOOST_AUTO_TEST_CASE(the_diff_id_of_a_compressed_layer_is_that_of_what_it_decodes_to) {
  const std::string tar = tar_of("usr/bin/tool", sample(1'000'000));
  for (const Compression format : kFormats) {
    const std::string stored = compress(format, tar);
    for (const std::size_t chunk : {std::size_t{1}, std::size_t{4096}, stored.size()}) {
      BOOST_TEST_CONTEXT(name(format) << " in chunks of " << chunk) {
        const LayerFacts facts = scan(stored, chunk);
        BOOST_TEST((facts.compression == format));
        BOOST_TEST((facts.diff_id == sha256(tar)));
        BOOST_TEST(facts.decoded_size == tar.size());
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_layer_without_entries_is_one) {
  const std::string nothing(2 * kBlock, '\0');
  BOOST_TEST(scan(nothing).decoded_size == nothing.size());
  BOOST_TEST((scan(compress(Compression::gzip, nothing)).diff_id == sha256(nothing)));
}

BOOST_AUTO_TEST_CASE(what_holds_no_tar_is_refused_at_the_end) {
  const std::string text = sample(10'000);
  BOOST_TEST((failure("") == EINVAL));
  BOOST_TEST((failure("short") == EINVAL));
  BOOST_TEST((failure(text) == EINVAL));
  for (const Compression format : kFormats) {
    BOOST_TEST((failure(compress(format, text)) == EINVAL));
    BOOST_TEST((failure(compress(format, "")) == EINVAL));
  }
}

BOOST_AUTO_TEST_CASE(no_layer_is_compressed_with_lz4) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1'000'000}}) {
    const std::string stored = compress(Compression::lz4, tar_of("a", sample(size)));
    BOOST_CHECK_EXCEPTION(scan(stored), Error, [](const Error& error) {
      return error.errno_value() == EINVAL && error.sentence().find("lz4") != std::string::npos;
    });
  }
}

BOOST_AUTO_TEST_CASE(compression_within_compression_is_no_tar) {
  const std::string stored =
      compress(Compression::gzip, compress(Compression::gzip, tar_of("a", sample(5000))));
  BOOST_TEST((failure(stored) == EINVAL));
}

BOOST_AUTO_TEST_CASE(a_wrong_header_checksum_is_no_tar) {
  std::string tar = tar_of("a", "b");
  tar[0] = 'c';
  BOOST_TEST((failure(tar) == EINVAL));
}

BOOST_AUTO_TEST_CASE(a_compressed_layer_that_is_cut_is_refused) {
  const std::string tar = tar_of("a", sample(1'000'000));
  for (const Compression format : kFormats) {
    const std::string stored = compress(format, tar);
    for (const std::size_t missing : {std::size_t{1}, stored.size() / 2, stored.size() - 10}) {
      BOOST_TEST_CONTEXT(name(format) << " without " << missing) {
        BOOST_TEST((failure(stored.substr(0, stored.size() - missing)) == EBADMSG));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_damaged_layer_is_refused) {
  const std::string tar = tar_of("a", sample(1'000'000));
  for (const Compression format : kFormats) {
    std::string stored = compress(format, tar);
    stored[stored.size() / 2] = static_cast<char>(~stored[stored.size() / 2]);
    BOOST_TEST_CONTEXT(name(format)) { BOOST_TEST((failure(stored) == EBADMSG)); }
  }
}

BOOST_AUTO_TEST_CASE(a_layer_has_a_largest_size) {
  const std::string tar = tar_of("a", sample(100'000));
  BOOST_TEST(!failure(tar, {.max_layer = tar.size()}));
  BOOST_TEST((failure(tar, {.max_layer = tar.size() - 1}) == EFBIG));
  const std::string stored = compress(Compression::zstd, tar);
  BOOST_TEST(!failure(stored, {.max_layer = tar.size()}));
  BOOST_TEST((failure(stored, {.max_layer = tar.size() - 1}) == EFBIG));
}

BOOST_AUTO_TEST_CASE(a_ratio_counts_once_much_came_out) {
  constexpr std::size_t kMuch = 16 << 20;
  const std::string zeros(kMuch + kBlock, '\0');
  const std::string stored = compress(Compression::zstd, zeros);
  BOOST_REQUIRE(zeros.size() / stored.size() > Limits().max_ratio);
  BOOST_TEST((failure(stored, {.ratio_after = kMuch}) == EFBIG));
  BOOST_TEST(!failure(stored, {.max_ratio = 100'000, .ratio_after = kMuch}));
  BOOST_TEST(!failure(compress(Compression::zstd, zeros.substr(kBlock)), {.ratio_after = kMuch}));
}

BOOST_AUTO_TEST_CASE(a_layer_that_is_a_disk_image_of_zeros_is_no_bomb) {
  const std::string tar = tar_of("disk.img", std::string(100 << 20, '\0'));
  for (const Compression compression : {Compression::gzip, Compression::zstd}) {
    const std::string stored = compress(compression, tar);
    BOOST_TEST(!failure(stored));
  }
}

BOOST_AUTO_TEST_CASE(an_abandoned_scan_ends_its_thread) {
  const std::string stored = compress(Compression::gzip, tar_of("a", sample(2'000'000)));
  LayerScan layer(Limits{});
  layer.append(bytes_of(stored).first(stored.size() / 2));
}

BOOST_AUTO_TEST_CASE(the_first_block_tells_whether_it_may_be_a_layer) {
  const std::string tar = tar_of("a", "b");
  const auto may_be = [](std::string_view start) {
    return LayerScan::may_be_layer(bytes_of(start));
  };
  BOOST_TEST(may_be(std::string_view(tar).substr(0, kBlock)));
  BOOST_TEST(may_be(std::string(kBlock, '\0')));
  BOOST_TEST(may_be(compress(Compression::gzip, tar)));
  BOOST_TEST(!may_be(""));
  BOOST_TEST(!may_be(std::string_view(tar).substr(0, kBlock - 1)));
  BOOST_TEST(!may_be(sample(kBlock)));
  BOOST_TEST(!may_be("{\"layers\": []}"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace imagefs::importer
