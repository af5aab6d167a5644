#include <lz4frame.h>

#include <array>
#include <new>

#include "importer/decoder_formats.h"
#include "importer/decoder_memory.h"
#include "importer/frame_magic.h"
#include "importer/step_decoder.h"

namespace imagefs::importer {
namespace {

constexpr std::size_t kMemory = 9 << 20;  // bytes: a block of 4 MiB in, one and its history out

struct FreeContext {
  void operator()(LZ4F_dctx* context) const { LZ4F_freeDecompressionContext(context); }
};

// liblz4 passes skippable frames over itself.
class Lz4Decoder final : public StepDecoder {
 public:
  Lz4Decoder() : StepDecoder(Compression::lz4) {
    LZ4F_dctx* context = nullptr;
    if (LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION)) != 0U) {
      throw std::bad_alloc();
    }
    context_.reset(context);
  }

  [[nodiscard]] bool at_end() const override {
    return any_frame_ && !in_frame_ && magic_size_ == 0;
  }

 private:
  Step step(std::span<const std::byte> in, std::span<std::byte> out) override {
    if (!in_frame_) return in.empty() ? Step{} : read_magic(in.front());
    return decompress(in, out);
  }

  // Takes a byte of the magic, and begins the frame when that was its last.
  Step read_magic(std::byte byte) {
    if (magic_size_ == 0) begin_member();
    magic_[magic_size_++] = byte;
    const std::span<const std::byte> magic(magic_.data(), magic_size_);
    if (!may_begin_frame(magic, kLz4Magic)) throw_no_member();
    if (magic_size_ == magic_.size()) {
      in_frame_ = true;
      magic_size_ = 0;
      static_cast<void>(decompress(magic, {}));
    }
    return {.consumed = 1};
  }

  Step decompress(std::span<const std::byte> in, std::span<std::byte> out) {
    std::size_t consumed = in.size();
    std::size_t produced = out.size();
    const std::size_t result =
        LZ4F_decompress(context_.get(), out.data(), &produced, in.data(), &consumed, nullptr);
    if (LZ4F_isError(result) != 0U) throw_corrupt(LZ4F_getErrorName(result));
    if (result == 0) {
      in_frame_ = false;
      any_frame_ = true;
    }
    return {.consumed = consumed, .produced = produced};
  }

  const DecoderMemory::Lease memory_ = DecoderMemory::process().acquire(kMemory);
  std::unique_ptr<LZ4F_dctx, FreeContext> context_;
  std::array<std::byte, kFrameMagicBytes> magic_ = {};
  std::size_t magic_size_ = 0;
  bool in_frame_ = false;
  bool any_frame_ = false;
};

}  // namespace

std::unique_ptr<Decoder> make_lz4_decoder() { return std::make_unique<Lz4Decoder>(); }

}  // namespace imagefs::importer
