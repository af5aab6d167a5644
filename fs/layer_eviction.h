// Which decoded layers of cache/layers/ go when there are too many.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <utility>

namespace imagefs::fs {

// Removes files, those that were used longest ago first (by their modification time), until the
// rest has at most `limit` bytes. What is open elsewhere stays readable there.
void evict_layers(int directory_fd, std::uint64_t limit);

// The bytes that cache/layers/ may hold: those that are there, and those that decoders are about to
// put there.
//
// Thread safety: every member from any thread.
class LayerRoom {
 public:
  explicit LayerRoom(std::uint64_t bytes) : bytes_(bytes) {}

  // Room for one file; given back with this object.
  class Taken {
   public:
    Taken(LayerRoom& room, std::uint64_t size) noexcept : room_(&room), size_(size) {}
    Taken(Taken&& other) noexcept
        : room_(std::exchange(other.room_, nullptr)), size_(other.size_) {}
    Taken& operator=(Taken&&) = delete;
    ~Taken() {
      if (room_ != nullptr) room_->give_back(size_);
    }

   private:
    LayerRoom* room_;  // which outlives this
    std::uint64_t size_;
  };
  // Takes `size` bytes, and evicts what leaves no room for them. Nothing when they do not fit
  // beside what others have taken.
  [[nodiscard]] std::optional<Taken> take(int directory_fd, std::uint64_t size);

 private:
  void give_back(std::uint64_t size) noexcept;

  const std::uint64_t bytes_;
  std::mutex mutex_;
  std::uint64_t taken_ = 0;
};

// Notes that a file was used just now.
void mark_used(int fd);

}  // namespace imagefs::fs
