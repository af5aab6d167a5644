#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <new>
#include <optional>
#include <utility>

#include "importer/decoder_formats.h"
#include "importer/decoder_memory.h"
#include "importer/frame_magic.h"
#include "importer/step_decoder.h"

namespace imagefs::importer {
namespace {

constexpr std::size_t kMaxHeader = 18;     // bytes (RFC 8878, 3.1.1.1, with the magic)
constexpr std::size_t kContext = 1 << 20;  // bytes that libzstd takes besides the window, at most
constexpr int kMaxWindowLog = 27;
static_assert(kMaxWindow == 1ULL << kMaxWindowLog);

// What the header of a frame says: RFC 8878, 3.1.1.1.
class FrameHeader {
 public:
  // `start`: the magic and at least the byte behind it.
  explicit FrameHeader(std::span<const std::byte> start)
      : descriptor_(std::to_integer<unsigned>(start[4])) {}

  [[nodiscard]] std::size_t size() const { return size_at() + size_bytes(); }
  // `header`: all size() bytes of it.
  [[nodiscard]] std::uint64_t window(std::span<const std::byte> header) const {
    if (single_segment()) {
      return little_endian(header.subspan(size_at(), size_bytes())) + (size_flag() == 1 ? 256 : 0);
    }
    const auto window = std::to_integer<std::uint64_t>(header[5]);
    const std::uint64_t base = 1ULL << (10 + (window >> 3));
    return base + base / 8 * (window & 7);
  }

 private:
  [[nodiscard]] bool single_segment() const { return (descriptor_ & 0x20) != 0; }
  [[nodiscard]] unsigned size_flag() const { return descriptor_ >> 6; }
  [[nodiscard]] std::size_t size_bytes() const {
    return size_flag() == 0 ? (single_segment() ? 1 : 0) : std::size_t{1} << size_flag();
  }
  [[nodiscard]] std::size_t size_at() const {
    constexpr std::array<std::size_t, 4> dictionary_id{0, 1, 2, 4};  // bytes
    return 5 + (single_segment() ? 0 : 1) + dictionary_id[descriptor_ & 3];
  }

  unsigned descriptor_;
};

struct FreeContext {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

class ZstdDecoder final : public StepDecoder {
 public:
  ZstdDecoder() : StepDecoder(Compression::zstd) {}

  [[nodiscard]] bool at_end() const override {
    return any_frame_ && !in_frame_ && skip_ == 0 && header_size_ == 0;
  }

 private:
  Step step(std::span<const std::byte> in, std::span<std::byte> out) override {
    if (in_frame_) return decompress(in, out);
    if (skip_ > 0) return pass_skippable(in);
    return in.empty() ? Step{} : read_header(in.front());
  }

  // Takes a byte of the header, and begins the frame when that was its last.
  Step read_header(std::byte byte) {
    header_[header_size_++] = byte;
    const std::span<const std::byte> header(header_.data(), header_size_);
    if (header_size_ <= kFrameMagicBytes) {
      check_frame(header);
      return {.consumed = 1};
    }
    if (little_endian(header.first(kFrameMagicBytes)) == kZstdMagic) {
      const FrameHeader frame(header);
      if (header_size_ == frame.size()) begin_frame(frame.window(header));
    } else if (header_size_ == kSkippableHeader) {
      skip_ = little_endian(header.subspan(kFrameMagicBytes));
      header_size_ = 0;
      any_frame_ = true;
    }
    return {.consumed = 1};
  }

  // `start`: the first bytes of what should be a frame.
  void check_frame(std::span<const std::byte> start) {
    if (start.size() == 1) begin_member();
    if (may_begin_frame(start, kZstdMagic)) return;
    if (any_frame_ && !context_) {
      throw_corrupt("only skippable frames, which lz4 has too, and no zstd frame behind them");
    }
    throw_no_member();
  }

  void begin_frame(std::uint64_t window) {
    if (window > kMaxWindow) {
      throw_unsupported("its window of " + std::to_string(window) + " bytes is larger than " +
                        std::to_string(kMaxWindow));
    }
    if (memory_.bytes() < window + kContext) make_context(window + kContext);
    ZSTD_inBuffer input{header_.data(), header_size_, 0};
    ZSTD_outBuffer nothing{nullptr, 0, 0};
    check(ZSTD_decompressStream(context_.get(), &nothing, &input));
    if (input.pos != input.size) throw_corrupt("the header is damaged");
    header_size_ = 0;
    in_frame_ = true;
  }

  void make_context(std::size_t bytes) {
    context_.reset();
    memory_ = budget_.acquire(bytes, std::move(memory_));
    context_.reset(ZSTD_createDCtx());
    if (!context_) throw std::bad_alloc();
    check(ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax, kMaxWindowLog));
  }

  Step decompress(std::span<const std::byte> in, std::span<std::byte> out) {
    ZSTD_inBuffer input{in.data(), in.size(), 0};
    ZSTD_outBuffer output{out.data(), out.size(), 0};
    if (check(ZSTD_decompressStream(context_.get(), &output, &input)) == 0) {
      in_frame_ = false;
      any_frame_ = true;
    }
    return {.consumed = input.pos, .produced = output.pos};
  }

  Step pass_skippable(std::span<const std::byte> in) {
    const auto passed = static_cast<std::size_t>(std::min<std::uint64_t>(skip_, in.size()));
    skip_ -= passed;
    return {.consumed = passed};
  }

  std::size_t check(std::size_t result) const {
    if (ZSTD_isError(result) == 0U) return result;
    if (ZSTD_getErrorCode(result) == ZSTD_error_memory_allocation) throw std::bad_alloc();
    throw_corrupt(ZSTD_getErrorName(result));
  }

  DecoderMemory& budget_ = DecoderMemory::process();
  DecoderMemory::Lease memory_;
  std::unique_ptr<ZSTD_DCtx, FreeContext> context_;
  std::array<std::byte, kMaxHeader> header_ = {};
  std::size_t header_size_ = 0;
  std::uint64_t skip_ = 0;  // bytes of a skippable frame still to pass
  bool in_frame_ = false;
  bool any_frame_ = false;
};

}  // namespace

std::unique_ptr<Decoder> make_zstd_decoder() { return std::make_unique<ZstdDecoder>(); }

}  // namespace imagefs::importer
