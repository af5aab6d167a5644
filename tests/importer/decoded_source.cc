#include "importer/decoded_source.h"

#include <algorithm>
#include <array>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <optional>
#include <string>
#include <string_view>

#include "tests/importer/import_fixture.h"
#include "tests/support/compress.h"

namespace imagefs::tests {
namespace {

using importer::Compression;
using importer::DecodedSource;
using importer::Limits;
using test::compress;

constexpr std::array kFormats{Compression::gzip, Compression::zstd, Compression::xz,
                              Compression::bzip2, Compression::lz4};
constexpr Limits kLimits;
constexpr std::size_t kBlock = 256 << 10;  // bytes that come at once, at most

// Reads to the end, from byte `padding` on as padding; the errno value that it fails with.
std::optional<int> failure(Compression format, std::string_view text, const Limits& limits,
                           std::size_t padding = std::string_view::npos) {
  StringSource stored(compress(format, text));
  DecodedSource decoded(stored, format, limits);
  std::size_t read = 0;
  try {
    for (auto bytes = decoded.next(); !bytes.empty(); bytes = decoded.next()) {
      read += bytes.size();
      if (read >= padding) decoded.expect_padding();
    }
  } catch (const Error& error) {
    return error.errno_value();
  }
  BOOST_TEST(read == text.size());
  BOOST_TEST(decoded.at_end());
  return std::nullopt;
}

BOOST_AUTO_TEST_SUITE(decoded_source)

BOOST_AUTO_TEST_CASE(blocks_are_bounded_whatever_the_ratio) {
  const std::string zeros(50 << 20, '\0');
  for (const Compression format : kFormats) {
    StringSource stored(compress(format, zeros));
    DecodedSource decoded(stored, format, kLimits);
    std::size_t largest = 0;
    for (auto bytes = decoded.next(); !bytes.empty(); bytes = decoded.next()) {
      largest = std::max(largest, bytes.size());
    }
    BOOST_TEST_CONTEXT(name(format)) { BOOST_TEST(largest <= kBlock); }
  }
}

BOOST_AUTO_TEST_CASE(the_ratio_counts_once_much_came_out) {
  const std::string zeros(8 * kBlock, '\0');
  for (const Compression format : kFormats) {
    BOOST_TEST_CONTEXT(name(format)) {
      BOOST_TEST((failure(format, zeros, {.max_ratio = 10, .ratio_after = kBlock}) == EFBIG));
      BOOST_TEST(!failure(format, zeros, {.max_ratio = 10, .ratio_after = zeros.size()}));
      BOOST_TEST(!failure(format, zeros, {}));
    }
  }
}

BOOST_AUTO_TEST_CASE(padding_has_a_size_but_no_ratio) {
  const std::string zeros(8 * kBlock, '\0');
  const Limits limits{.max_archive = zeros.size(), .max_ratio = 10, .ratio_after = kBlock};
  const Limits smaller{.max_archive = zeros.size() - 1};
  for (const Compression format : kFormats) {
    BOOST_TEST_CONTEXT(name(format)) {
      BOOST_TEST(!failure(format, zeros, limits, 1));
      BOOST_TEST((failure(format, zeros, smaller, 1) == EFBIG));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_cancelled_copy_ends_it_between_two_blocks) {
  class Cancelled final : public importer::ByteSource {
   public:
    explicit Cancelled(std::string bytes) : bytes_(std::move(bytes)) {}
    std::span<const std::byte> next() override { return std::as_bytes(std::span(bytes_)); }
    void check() override {
      if (++checks_ == 3) throw Error(ECANCELED, "the copy was cancelled");
    }

   private:
    const std::string bytes_;
    int checks_ = 0;
  };
  Cancelled stored(compress(Compression::zstd, std::string(8 * kBlock, '\0')));
  DecodedSource decoded(stored, Compression::zstd, kLimits);
  BOOST_TEST(!decoded.next().empty());
  BOOST_TEST(!decoded.next().empty());
  BOOST_CHECK_THROW(static_cast<void>(decoded.next()), Error);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace imagefs::tests
