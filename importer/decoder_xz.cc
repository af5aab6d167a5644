#include <lzma.h>

#include <algorithm>
#include <array>
#include <new>
#include <utility>

#include "importer/decoder_formats.h"
#include "importer/decoder_memory.h"
#include "importer/step_decoder.h"

namespace imagefs::importer {
namespace {

constexpr std::array kMagic{std::byte{0xfd}, std::byte{'7'}, std::byte{'z'},
                            std::byte{'X'},  std::byte{'Z'}, std::byte{0}};
constexpr std::uint64_t kMaxMemory = 96ULL << 20;  // bytes; xz -9 needs 65 MiB
constexpr std::size_t kPaddingUnit = 4;            // bytes: padding comes in multiples of it

// liblzma could join streams itself (LZMA_CONCATENATED), but then knows the end only when it is
// told.
class XzDecoder final : public StepDecoder {
 public:
  XzDecoder() : StepDecoder(Compression::xz) {}
  XzDecoder(const XzDecoder&) = delete;
  XzDecoder& operator=(const XzDecoder&) = delete;
  ~XzDecoder() override { lzma_end(&lzma_); }

  [[nodiscard]] bool at_end() const override {
    if (!in_stream_) check_padding();
    return any_stream_ && !in_stream_;
  }

 private:
  Step step(std::span<const std::byte> in, std::span<std::byte> out) override {
    if (!in_stream_) {
      if (in.empty()) return {};
      if (any_stream_ && in.front() == std::byte{0}) return pass_padding(in);
      begin_stream();
    }
    check_magic(in, kMagic);
    lzma_.next_in = as_u8(in);
    lzma_.avail_in = in.size();
    lzma_.next_out = as_u8(out);
    lzma_.avail_out = out.size();
    lzma_ret result = lzma_code(&lzma_, LZMA_RUN);
    if (result == LZMA_MEMLIMIT_ERROR) {
      acquire_memory();
      result = lzma_code(&lzma_, LZMA_RUN);
    }
    check(result);
    return {.consumed = in.size() - lzma_.avail_in, .produced = out.size() - lzma_.avail_out};
  }

  Step pass_padding(std::span<const std::byte> in) {
    const auto end = std::ranges::find_if(in, [](std::byte byte) { return byte != std::byte{0}; });
    const auto zeros = static_cast<std::size_t>(end - in.begin());
    padding_ += zeros;
    return {.consumed = zeros};
  }

  void check_padding() const {
    if (padding_ % kPaddingUnit != 0) throw_corrupt("bytes follow its end");
  }

  // liblzma says what a block needs before it takes it. The limit starts at nothing, so that it
  // says so of the stream's first.
  void begin_stream() {
    check_padding();
    padding_ = 0;
    begin_member();
    if (lzma_stream_decoder(&lzma_, 1, LZMA_TELL_UNSUPPORTED_CHECK) != LZMA_OK) {
      throw std::bad_alloc();
    }
    in_stream_ = true;
    any_block_ = false;
  }

  // What the blocks before took in this stream is freed only when the next begins.
  void acquire_memory() {
    const std::uint64_t need = lzma_memusage(&lzma_);
    if (need > kMaxMemory) {
      throw_unsupported("it needs " + std::to_string(need) + " bytes of memory, more than " +
                        std::to_string(kMaxMemory));
    }
    if (need > memory_.bytes()) {
      if (any_block_) {
        memory_.extend(need - memory_.bytes());
      } else {
        memory_ = budget_.acquire(need, std::move(memory_));
      }
    }
    any_block_ = true;
    if (lzma_memlimit_set(&lzma_, memory_.bytes()) != LZMA_OK) throw std::bad_alloc();
  }

  void check(lzma_ret result) {
    switch (result) {
      case LZMA_OK:
      case LZMA_BUF_ERROR:  // nothing more without more input
        return;
      case LZMA_STREAM_END:
        lzma_end(&lzma_);  // frees the dictionary
        in_stream_ = false;
        any_stream_ = true;
        return;
      case LZMA_MEM_ERROR:
        throw std::bad_alloc();
      case LZMA_FORMAT_ERROR:
        throw_no_member();
      case LZMA_OPTIONS_ERROR:
        throw_unsupported("it uses an unknown filter or option");
      case LZMA_UNSUPPORTED_CHECK:
        throw_unsupported("it uses an unknown kind of check");
      default:
        throw_corrupt("it is damaged");
    }
  }

  DecoderMemory& budget_ = DecoderMemory::process();
  DecoderMemory::Lease memory_;
  lzma_stream lzma_ = LZMA_STREAM_INIT;
  std::uint64_t padding_ = 0;  // bytes since the last stream
  bool in_stream_ = false;
  bool any_block_ = false;  // of this stream
  bool any_stream_ = false;
};

}  // namespace

std::unique_ptr<Decoder> make_xz_decoder() { return std::make_unique<XzDecoder>(); }

}  // namespace imagefs::importer
