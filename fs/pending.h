// A request that is answered later, by whichever thread finishes its work.
#pragma once

#include <memory>
#include <utility>
#include <vector>

namespace imagefs::fs {

class Pending {
 public:
  virtual ~Pending() = default;
  // 0: what was asked is done. Called once, and without a lock: the answer wakes another process.
  virtual void answer(int errno_value) = 0;
  // Whether the caller is being killed and waits for nothing but this answer.
  [[nodiscard]] virtual bool abandoned() const = 0;
};
using PendingPtr = std::unique_ptr<Pending>;

// Answers that go out when the scope ends. Declare it before the scope's lock, so that the lock is
// released first.
class Answers {
 public:
  Answers() = default;
  Answers(const Answers&) = delete;
  Answers& operator=(const Answers&) = delete;
  ~Answers() {
    for (const auto& [pending, errno_value] : answers_) pending->answer(errno_value);
  }
  void add(PendingPtr pending, int errno_value) {
    if (pending) answers_.emplace_back(std::move(pending), errno_value);
  }

 private:
  std::vector<std::pair<PendingPtr, int>> answers_;
};

}  // namespace imagefs::fs
