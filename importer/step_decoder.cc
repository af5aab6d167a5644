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

void StepDecoder::append(std::span<const std::byte> bytes, const Sink& sink) {
  for (bool more = !bytes.empty(); more;) {
    const std::size_t room = kBlock - filled_;
    const Step done = step(bytes.first(std::min(bytes.size(), kMaxStep)),
                           std::span(blocks_[block_].get() + filled_, room));
    if (done.consumed == 0 && done.produced == 0 && !bytes.empty()) {
      throw_corrupt("it cannot be decoded");
    }
    bytes = bytes.subspan(done.consumed);
    position_ += done.consumed;
    filled_ += done.produced;
    if (filled_ == kBlock) pass_on(sink);
    more = !bytes.empty() || done.produced == room;
  }
  pass_on(sink);
}

void StepDecoder::pass_on(const Sink& sink) {
  if (filled_ == 0) return;
  const std::span<const std::byte> block(blocks_[block_].get(), filled_);
  block_ = 1 - block_;
  filled_ = 0;
  sink(block);
}

void StepDecoder::throw_corrupt(const std::string& why) const { throw_error(EBADMSG, why); }

void StepDecoder::throw_unsupported(const std::string& why) const { throw_error(EOPNOTSUPP, why); }

void StepDecoder::throw_error(int errno_value, const std::string& why) const {
  throw Error(errno_value,
              name(compression_) + " data, near byte " + std::to_string(position_) + ": " + why);
}

}  // namespace imagefs::importer
