// Who lists directories for their names alone, and who asks for the attributes of each name next.
//
// The kernel takes names together with attributes at the beginning of every listing. For find that
// is five times the work, and an inode of the kernel's for each name; without it, whoever goes on
// to ask for attributes makes a request for each. So a thread's first listing has them, as it may
// be its only one; the second does not, and what the thread does next decides the others. (The
// kernel keeps the names, so another thread that comes for their attributes makes those requests.)
//
// A guess in any case: thread ids come again, and there is room for some threads only.
//
// Thread safety: every member from any thread.
#pragma once

#include <sys/types.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace imagefs::fs {

class ListingHabits {
 public:
  // A thread begins to list a directory: whether the attributes should come along.
  [[nodiscard]] bool begin(pid_t thread);
  // A thread has looked up what is no directory.
  void look_up(pid_t thread);

 private:
  enum class Habit : std::uint8_t { unknown, names, attributes };
  struct Entry {
    pid_t thread = -1;
    Habit habit = Habit::unknown;
  };
  static constexpr std::size_t kThreads = 256;

  [[nodiscard]] std::atomic<Entry>& at(pid_t thread) {
    return entries_[static_cast<std::size_t>(thread) % kThreads];
  }

  std::array<std::atomic<Entry>, kThreads> entries_{};
};

}  // namespace imagefs::fs
