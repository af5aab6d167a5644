#include <isa-l/igzip_lib.h>

#include <algorithm>
#include <array>

#include "importer/decoder_formats.h"
#include "importer/step_decoder.h"

namespace imagefs::importer {
namespace {

constexpr std::array kMagic{std::byte{0x1f}, std::byte{0x8b}, std::byte{8}};
constexpr std::uint32_t kReservedFlags = 0xe0;  // of FLG; "must be zero" (RFC 1952, 2.3.1)

class GzipDecoder final : public StepDecoder {
 public:
  GzipDecoder() : StepDecoder(Compression::gzip) { isal_inflate_init(inflate_.get()); }

  [[nodiscard]] bool at_end() const override {
    return phase_ == Phase::padding || (phase_ == Phase::between && any_member_);
  }

 private:
  enum class Phase { between, header, body, padding };

  Step step(std::span<const std::byte> in, std::span<std::byte> out) override {
    if (phase_ == Phase::between && !in.empty()) begin(in.front());
    switch (phase_) {
      case Phase::between:
        return {};
      case Phase::header:
        return read_header(in);
      case Phase::body:
        return inflate(in, out);
      case Phase::padding:
        return pass_padding(in);
    }
    return {};
  }

  void begin(std::byte first) {
    if (any_member_ && first == std::byte{0}) {
      phase_ = Phase::padding;
      return;
    }
    begin_member();
    isal_inflate_reset(inflate_.get());
    inflate_->crc_flag = ISAL_GZIP_NO_HDR_VER;
    header_ = {};
    phase_ = Phase::header;
  }

  Step read_header(std::span<const std::byte> in) {
    check_magic(in, kMagic);
    set_input(in);
    const int result = isal_read_gzip_header(inflate_.get(), &header_);
    if (result == ISAL_INCORRECT_CHECKSUM) throw_corrupt("a header's checksum is wrong");
    if (result < 0) throw_no_member();
    if (result == ISAL_DECOMP_OK) {
      if ((header_.flags & kReservedFlags) != 0) throw_corrupt("a header has unknown flags");
      phase_ = Phase::body;
    }
    return {.consumed = in.size() - inflate_->avail_in};
  }

  Step inflate(std::span<const std::byte> in, std::span<std::byte> out) {
    set_input(in);
    inflate_->next_out = as_u8(out);
    inflate_->avail_out = static_cast<std::uint32_t>(out.size());
    const int result = isal_inflate(inflate_.get());
    if (result == ISAL_INCORRECT_CHECKSUM) throw_corrupt("the CRC or the length is wrong");
    if (result < 0) throw_corrupt("it is damaged");
    if (inflate_->block_state == ISAL_BLOCK_FINISH) {
      phase_ = Phase::between;
      any_member_ = true;
    }
    return {.consumed = in.size() - inflate_->avail_in,
            .produced = out.size() - inflate_->avail_out};
  }

  Step pass_padding(std::span<const std::byte> in) {
    if (!std::ranges::all_of(in, [](std::byte byte) { return byte == std::byte{0}; })) {
      throw_corrupt("bytes follow its end");
    }
    return {.consumed = in.size()};
  }

  void set_input(std::span<const std::byte> in) {
    inflate_->next_in = const_cast<std::uint8_t*>(as_u8(in));  // isa-l does not write there
    inflate_->avail_in = static_cast<std::uint32_t>(in.size());
  }

  const std::unique_ptr<inflate_state> inflate_ = std::make_unique<inflate_state>();
  isal_gzip_header header_ = {};
  Phase phase_ = Phase::between;
  bool any_member_ = false;
};

}  // namespace

std::unique_ptr<Decoder> make_gzip_decoder() { return std::make_unique<GzipDecoder>(); }

}  // namespace imagefs::importer
