// A compressed layer that is decoded when somebody first reads from it.
//
// A thread decodes it once from its start to its end, and checks it; readers wait for that. When
// that failed for want of something (room, memory, descriptors), who waits is told so, and the next
// reader tries again.
//
// Thread safety: every member from any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>

#include "fs/decoding.h"
#include "fs/layer_bytes.h"
#include "fs/threads.h"

namespace imagefs::fs {

class DecodedLayer final : public LayerBytes {
 public:
  // `threads`: the decoder's comes from there, and ends soon after this object.
  DecodedLayer(Decoding::Source source, std::shared_ptr<Threads> threads)
      : threads_(std::move(threads)),
        source_(std::make_shared<const Decoding::Source>(std::move(source))) {}
  DecodedLayer(const DecodedLayer&) = delete;
  DecodedLayer& operator=(const DecodedLayer&) = delete;
  ~DecodedLayer() override;

  [[nodiscard]] bool ready(std::uint64_t end) const override;
  void await(std::uint64_t end, const Patience& patience) override;
  void read(std::span<std::byte> into, std::uint64_t offset) override;
  [[nodiscard]] bool is_costly() const override;

 private:
  using DecodingPtr = std::shared_ptr<Decoding>;

  [[nodiscard]] DecodingPtr current() const;
  [[nodiscard]] DecodingPtr start();

  const std::shared_ptr<Threads> threads_;
  const std::shared_ptr<const Decoding::Source> source_;
  mutable std::mutex mutex_;
  DecodingPtr decoding_;  // null until somebody reads
};

}  // namespace imagefs::fs
