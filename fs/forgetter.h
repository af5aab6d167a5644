// Tells the kernel of names that are gone, in a thread that nobody waits for: the kernel takes the
// directory's lock for it, which a process may hold while it waits for an answer of ours.
//
// Thread safety: forget() from any thread.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "fs/tree.h"

namespace imagefs::fs {

class Forgetter {
 public:
  using Name = Tree::Changes::Name;

  // `tell`: tells the kernel of one name; may block.
  explicit Forgetter(std::function<void(const Name&)> tell);
  Forgetter(const Forgetter&) = delete;
  Forgetter& operator=(const Forgetter&) = delete;
  ~Forgetter();  // stop()

  // Waits for the name that is being told of, and tells of no other. Requests must still be served:
  // the kernel waits for the directory's lock until its holder has its answer, and nothing else
  // ends that.
  void stop();
  void forget(const std::vector<Name>& names);

 private:
  void run();

  const std::function<void(const Name&)> tell_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Name> names_;
  bool stopped_ = false;
  std::thread thread_;
};

}  // namespace imagefs::fs
