#include "fs/decoded_layer.h"

#include <cerrno>
#include <utility>

#include "blobstore/error.h"

namespace imagefs::fs {

DecodedLayer::~DecodedLayer() {
  if (decoding_) decoding_->give_up();
}

bool DecodedLayer::ready(std::uint64_t end) const {
  if (end == 0) return true;
  const DecodingPtr decoding = current();
  return decoding && decoding->ready(end);
}

void DecodedLayer::await(std::uint64_t end, const Patience& patience) {
  start()->await(end, patience);
}

void DecodedLayer::read(std::span<std::byte> into, std::uint64_t offset) {
  const DecodingPtr decoding = current();
  if (!decoding) throw Error(EAGAIN, "the layer is not decoded yet");
  decoding->read(into, offset);
}

bool DecodedLayer::is_costly() const {
  const DecodingPtr decoding = current();
  return decoding && !decoding->is_published();
}

DecodedLayer::DecodingPtr DecodedLayer::current() const {
  const std::lock_guard lock(mutex_);
  return decoding_;
}

DecodedLayer::DecodingPtr DecodedLayer::start() {
  const std::lock_guard lock(mutex_);
  if (decoding_ && !decoding_->may_be_tried_again()) return decoding_;
  auto decoding = std::make_shared<Decoding>(source_);
  threads_->start([decoding] { decoding->run(); });
  decoding_ = decoding;
  return decoding;
}

}  // namespace imagefs::fs
