// A request whose answer a test can wait for.
#pragma once

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <utility>

#include "fs/pending.h"

namespace imagefs::fs::test {

// Far more than any answer takes: a test that hangs fails.
inline constexpr std::chrono::seconds kPatience{60};

class Answer {
 public:
  Answer() : abandoned_(std::make_shared<std::atomic<bool>>(false)) {}

  // To be given away once.
  PendingPtr pending() { return std::make_unique<Fake>(std::move(promise_), abandoned_); }
  // The caller is killed.
  void abandon() { *abandoned_ = true; }
  // The errno; -1 when there is none in time.
  int wait() {
    return future_.wait_for(kPatience) == std::future_status::ready ? future_.get() : -1;
  }
  [[nodiscard]] bool is_there() const {
    return future_.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
  }

 private:
  class Fake final : public Pending {
   public:
    Fake(std::promise<int> promise, std::shared_ptr<std::atomic<bool>> abandoned)
        : promise_(std::move(promise)), abandoned_(std::move(abandoned)) {}
    void answer(int errno_value) override { promise_.set_value(errno_value); }
    bool abandoned() const override { return *abandoned_; }

   private:
    std::promise<int> promise_;
    std::shared_ptr<std::atomic<bool>> abandoned_;
  };

  std::promise<int> promise_;
  std::future<int> future_ = promise_.get_future();
  std::shared_ptr<std::atomic<bool>> abandoned_;
};

}  // namespace imagefs::fs::test
