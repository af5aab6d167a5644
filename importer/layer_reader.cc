#include "importer/layer_reader.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <vector>

#include "blobstore/error.h"
#include "importer/decoder_memory.h"

namespace imagefs::importer {
namespace {

constexpr std::size_t kPiece = 256U << 10;

std::size_t read_at(int fd, std::span<std::byte> into, std::uint64_t offset) {
  for (;;) {
    const ssize_t count = pread(fd, into.data(), into.size(), static_cast<off_t>(offset));
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno != EINTR) throw_errno("a layer cannot be read");
  }
}

}  // namespace

Compression compression_of(int blob_fd) {
  std::array<std::byte, kMagicBytes> start{};
  const std::size_t count = read_at(blob_fd, start, 0);
  return detect_compression(std::span(start).first(count));
}

std::uint64_t read_layer(int blob_fd, std::uint64_t max_layer,
                         const std::function<bool(std::span<const std::byte>)>& sink) {
  const Compression compression = compression_of(blob_fd);
  const DecoderMemory::Reading reading;
  const auto decoder = compression == Compression::none ? nullptr : Decoder::make(compression);
  std::uint64_t decoded = 0;
  bool wanted = true;
  const auto take = [&](std::span<const std::byte> bytes) {
    decoded += bytes.size();
    if (decoded > max_layer) {
      throw Error(EFBIG, "the layer is larger than " + std::to_string(max_layer) + " bytes");
    }
    wanted = wanted && sink(bytes);
  };
  std::vector<std::byte> piece(kPiece);
  std::uint64_t offset = 0;
  while (const std::size_t count = wanted ? read_at(blob_fd, piece, offset) : 0) {
    const auto stored = std::span<const std::byte>(piece).first(count);
    offset += count;
    if (decoder) {
      decoder->append(stored, take);
    } else {
      take(stored);
    }
  }
  if (wanted && decoder && !decoder->at_end()) {
    throw Error(EBADMSG, "the layer's compressed data is cut");
  }
  return decoded;
}

}  // namespace imagefs::importer
