#include "tests/support/compress.h"

#include <bzlib.h>
#include <isa-l/igzip_lib.h>
#include <lz4frame.h>
#include <lzma.h>
#include <zstd.h>

#include <cstdint>
#include <memory>
#include <random>
#include <stdexcept>

namespace imagefs::test {
namespace {

using importer::Compression;

void require(bool ok) {
  if (!ok) throw std::runtime_error("cannot compress");
}

std::size_t bound(std::string_view text) { return text.size() * 2 + 4096; }

std::uint8_t* as_u8(std::string& text) { return reinterpret_cast<std::uint8_t*>(text.data()); }

std::string gzip(std::string_view text) {
  std::string input(text);
  std::string output(bound(text), '\0');
  const auto stream = std::make_unique<isal_zstream>();
  isal_deflate_init(stream.get());
  stream->gzip_flag = IGZIP_GZIP;
  stream->end_of_stream = 1;
  stream->next_in = as_u8(input);
  stream->avail_in = static_cast<std::uint32_t>(input.size());
  stream->next_out = as_u8(output);
  stream->avail_out = static_cast<std::uint32_t>(output.size());
  require(isal_deflate(stream.get()) == COMP_OK && stream->avail_in == 0);
  output.resize(stream->total_out);
  return output;
}

std::string zstd(std::string_view text) {
  std::string output(ZSTD_compressBound(text.size()), '\0');
  const std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> context(ZSTD_createCCtx(),
                                                                     ZSTD_freeCCtx);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_checksumFlag, 1);
  const std::size_t size =
      ZSTD_compress2(context.get(), output.data(), output.size(), text.data(), text.size());
  require(ZSTD_isError(size) == 0U);
  output.resize(size);
  return output;
}

std::string xz(std::string_view text) {
  std::string input(text);
  std::string output(bound(text), '\0');
  std::size_t size = 0;
  require(lzma_easy_buffer_encode(1, LZMA_CHECK_CRC64, nullptr, as_u8(input), input.size(),
                                  as_u8(output), &size, output.size()) == LZMA_OK);
  output.resize(size);
  return output;
}

std::string bzip2(std::string_view text) {
  std::string input(text);
  std::string output(bound(text), '\0');
  auto size = static_cast<unsigned>(output.size());
  require(BZ2_bzBuffToBuffCompress(output.data(), &size, input.data(),
                                   static_cast<unsigned>(input.size()), 9, 0, 0) == BZ_OK);
  output.resize(size);
  return output;
}

std::string lz4(std::string_view text) {
  LZ4F_preferences_t preferences = LZ4F_INIT_PREFERENCES;
  preferences.frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled;
  preferences.frameInfo.blockSizeID = LZ4F_max4MB;
  std::string output(LZ4F_compressFrameBound(text.size(), &preferences), '\0');
  const std::size_t size =
      LZ4F_compressFrame(output.data(), output.size(), text.data(), text.size(), &preferences);
  require(LZ4F_isError(size) == 0U);
  output.resize(size);
  return output;
}

}  // namespace

std::string compress(Compression compression, std::string_view text) {
  switch (compression) {
    case Compression::none:
      break;
    case Compression::gzip:
      return gzip(text);
    case Compression::zstd:
      return zstd(text);
    case Compression::xz:
      return xz(text);
    case Compression::bzip2:
      return bzip2(text);
    case Compression::lz4:
      return lz4(text);
  }
  throw std::logic_error("nothing to compress with");
}

std::string sample(std::size_t size) {
  std::minstd_rand random(1);
  std::string text;
  while (text.size() < size) {
    text += "A line that compresses well, number " + std::to_string(text.size() % 1000) + ".\n";
    if (random() % 4 == 0) {
      for (int i = 0; i < 100; ++i) text += static_cast<char>(random());
    }
  }
  text.resize(size);
  return text;
}

}  // namespace imagefs::test
