// Budgets of memory for the windows of all decoders, so that many imports at once stay bounded.
//
//   DecoderMemory::Lease window = DecoderMemory::process().acquire(8 << 20);
//
// What would exceed the budget waits until others have let go. An archive's decoder and its layers'
// take from different ones, and each decoder from the same as long as it lives. A thread that holds
// some of a budget waits for no more of it, nor of an earlier one: so whoever holds a layer's waits
// for no memory, and nobody waits in a circle. A decoder that needs a larger window frees its own
// first and lets go of it in the same step; one that cannot free it (xz, within a stream) keeps it
// and does not wait.
//
// Thread safety: any thread; a Lease ends in the thread that acquired it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <utility>

namespace imagefs::importer {

class DecoderMemory {
 public:
  class Lease {
   public:
    Lease() noexcept = default;
    Lease(Lease&& other) noexcept
        : memory_(std::exchange(other.memory_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
    Lease& operator=(Lease&& other) noexcept;
    ~Lease() { release(); }

    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
    // Takes more of the budget that it is of, without waiting. Throws Error{ENOMEM} when there is
    // not so much; then it is as before.
    void extend(std::size_t bytes);
    void release() noexcept;

   private:
    friend class DecoderMemory;
    Lease(DecoderMemory* memory, std::size_t bytes) noexcept : memory_(memory), bytes_(bytes) {}
    DecoderMemory* memory_ = nullptr;
    std::size_t bytes_ = 0;
  };

  // `order`: among the budgets that a thread may wait for while it holds some of earlier ones.
  DecoderMemory(std::size_t total, std::chrono::milliseconds patience, int order = 0)
      : total_(total), patience_(patience), order_(order) {}
  DecoderMemory(const DecoderMemory&) = delete;
  DecoderMemory& operator=(const DecoderMemory&) = delete;

  // The process's, 160 MiB and 5 minutes each: one for imports, one for who holds some of that
  // already (a layer in a compressed archive), one for who reads the store (Reading), so that a
  // mount's request threads never wait for imports, whose bytes they bring. Which one is this
  // thread's may change whenever it takes or lets go of some: a decoder asks once.
  [[nodiscard]] static DecoderMemory& process();
  // While it lives, waiting in this thread ends soon after `check` throws, with what it throws.
  class Cancellation {
   public:
    explicit Cancellation(std::function<void()> check);
    Cancellation(const Cancellation&) = delete;
    Cancellation& operator=(const Cancellation&) = delete;
    ~Cancellation();
  };
  // While it lives, this thread's decoders are a reader's.
  class Reading {
   public:
    Reading() noexcept;
    Reading(const Reading&) = delete;
    Reading& operator=(const Reading&) = delete;
    ~Reading();
  };

  // Lets go of `before`, which is of this budget or of none, and takes `bytes`: nobody comes
  // between unless this has to wait. Throws Error{ENOMEM}: at once when `bytes` exceed the budget,
  // or what is left of it while this thread holds some of it or of a later one, and after waiting
  // as long as patience goes.
  [[nodiscard]] Lease acquire(std::size_t bytes, Lease before);
  [[nodiscard]] Lease acquire(std::size_t bytes);

 private:
  void check_total(std::size_t bytes) const;
  void take(std::size_t bytes);  // these two with mutex_ held
  void give_back(std::size_t bytes) noexcept;
  void release(std::size_t bytes) noexcept;
  [[nodiscard]] bool may_wait() const;
  // Whether there is room in time.
  [[nodiscard]] bool wait_for_room(std::unique_lock<std::mutex>& lock, std::size_t bytes);

  const std::size_t total_;
  const std::chrono::milliseconds patience_;
  const int order_;
  std::mutex mutex_;
  std::condition_variable released_;
  std::size_t held_ = 0;
};

}  // namespace imagefs::importer
