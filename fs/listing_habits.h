// Whether those who list directories go on to ask for the attributes of each name.
//
// The kernel takes names together with attributes at the beginning of every listing. For find that
// is many times the work, and an inode of the kernel's for each name; without it, whoever asks for
// attributes makes a request for each, also later: the kernel keeps the names. So they come along
// until many directories in a row were listed and nothing but directories looked up, by anybody,
// and again as soon as a file is.
//
// Thread safety: every member from any thread.
#pragma once

#include <atomic>
#include <cstdint>

namespace imagefs::fs {

class ListingHabits {
 public:
  // Somebody begins to list a directory: whether the attributes should come along.
  [[nodiscard]] bool begin() { return listings_.fetch_add(1) < kListings; }
  // Somebody has looked up what is no directory.
  void look_up() { listings_ = 0; }

 private:
  // ls -lR pays for one directory in so many, find for the first ones.
  static constexpr std::uint64_t kListings = 128;

  std::atomic<std::uint64_t> listings_ = 0;  // since a file was looked up
};

}  // namespace imagefs::fs
