#include <bzlib.h>

#include <new>

#include "importer/decoder_formats.h"
#include "importer/decoder_memory.h"
#include "importer/step_decoder.h"

namespace imagefs::importer {
namespace {

constexpr std::size_t kMemory = 4 << 20;  // bytes; bzip2(1): 100k + 4 x block size of 900k

class Bzip2Decoder final : public StepDecoder {
 public:
  Bzip2Decoder() : StepDecoder(Compression::bzip2) {}
  Bzip2Decoder(const Bzip2Decoder&) = delete;
  Bzip2Decoder& operator=(const Bzip2Decoder&) = delete;
  ~Bzip2Decoder() override { end_stream(); }

  [[nodiscard]] bool at_end() const override { return any_stream_ && !in_stream_; }

 private:
  Step step(std::span<const std::byte> in, std::span<std::byte> out) override {
    if (!in_stream_) {
      if (in.empty()) return {};
      begin_stream();
    }
    bzip2_.next_in = const_cast<char*>(reinterpret_cast<const char*>(in.data()));
    bzip2_.avail_in = static_cast<unsigned>(in.size());
    bzip2_.next_out = reinterpret_cast<char*>(out.data());
    bzip2_.avail_out = static_cast<unsigned>(out.size());
    check(BZ2_bzDecompress(&bzip2_));
    return {.consumed = in.size() - bzip2_.avail_in, .produced = out.size() - bzip2_.avail_out};
  }

  void begin_stream() {
    if (BZ2_bzDecompressInit(&bzip2_, 0, 0) != BZ_OK) throw std::bad_alloc();
    in_stream_ = true;
    begin_member();
  }

  void end_stream() noexcept {
    if (in_stream_) BZ2_bzDecompressEnd(&bzip2_);
    in_stream_ = false;
  }

  void check(int result) {
    switch (result) {
      case BZ_OK:
        return;
      case BZ_STREAM_END:
        end_stream();
        any_stream_ = true;
        return;
      case BZ_MEM_ERROR:
        throw std::bad_alloc();
      case BZ_DATA_ERROR_MAGIC:
        throw_no_member();
      default:
        throw_corrupt("it is damaged");
    }
  }

  const DecoderMemory::Lease memory_ = DecoderMemory::process().acquire(kMemory);
  bz_stream bzip2_ = {};
  bool in_stream_ = false;
  bool any_stream_ = false;
};

}  // namespace

std::unique_ptr<Decoder> make_bzip2_decoder() { return std::make_unique<Bzip2Decoder>(); }

}  // namespace imagefs::importer
