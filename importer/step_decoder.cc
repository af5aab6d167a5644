#include "importer/step_decoder.h"

#include <algorithm>
#include <cerrno>

#include "blobstore/error.h"

namespace imagefs::importer {
namespace {

constexpr std::size_t kMaxStep = std::size_t{1} << 30;  // bytes; isa-l and bzip2 count in 32 bits

}  // namespace

StepDecoder::StepDecoder(Compression compression)
    : compression_(compression),
      blocks_{std::make_unique_for_overwrite<std::byte[]>(kBlock),
              std::make_unique_for_overwrite<std::byte[]>(kBlock)} {}

Decoder::Part StepDecoder::decode(std::span<const std::byte> bytes) {
  Part part;
  std::size_t filled = 0;
  const std::span<std::byte> block(blocks_[block_].get(), kBlock);
  do {
    const auto in = bytes.subspan(part.consumed);
    const Step done = step(in.first(std::min(in.size(), kMaxStep)), block.subspan(filled));
    if (done.consumed == 0 && done.produced == 0 && !in.empty()) {
      throw_corrupt("it cannot be decoded");
    }
    position_ += done.consumed;
    part.consumed += done.consumed;
    filled += done.produced;
    part.more = filled == kBlock;
  } while (part.consumed < bytes.size() && !part.more);
  part.block = block.first(filled);
  if (filled > 0) block_ = 1 - block_;
  return part;
}

void StepDecoder::check_magic(std::span<const std::byte> in,
                              std::span<const std::byte> magic) const {
  const std::uint64_t passed = std::min<std::uint64_t>(position_ - member_, magic.size());
  const auto wanted = magic.subspan(static_cast<std::size_t>(passed));
  const std::size_t count = std::min(in.size(), wanted.size());
  if (!std::ranges::equal(in.first(count), wanted.first(count))) throw_no_member();
}

void StepDecoder::throw_no_member() const {
  throw_corrupt(member_ > 0 ? "bytes follow its end" : "the header is damaged");
}

void StepDecoder::throw_corrupt(const std::string& why) const { throw_error(EBADMSG, why); }

void StepDecoder::throw_unsupported(const std::string& why) const { throw_error(EOPNOTSUPP, why); }

void StepDecoder::throw_error(int errno_value, const std::string& why) const {
  throw Error(errno_value,
              name(compression_) + " data, near byte " + std::to_string(position_) + ": " + why);
}

}  // namespace imagefs::importer
