#include "fs/listing_habits.h"

namespace imagefs::fs {

bool ListingHabits::begin(pid_t thread) {
  std::atomic<Entry>& entry = at(thread);
  const Entry known = entry.load();
  if (known.thread != thread) {
    entry.store({thread, Habit::unknown});
    return true;
  }
  if (known.habit == Habit::unknown) entry.store({thread, Habit::names});
  return known.habit == Habit::attributes;
}

void ListingHabits::look_up(pid_t thread) {
  std::atomic<Entry>& entry = at(thread);
  const Entry known = entry.load();
  if (known.thread == thread && known.habit == Habit::names) {
    entry.store({thread, Habit::attributes});
  }
}

}  // namespace imagefs::fs
