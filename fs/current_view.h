// The view that is current: replaced as a whole, read as a whole.
//
// Thread safety: every member from any thread. The lock is held while one pointer is copied and
// never while anything is waited for. (std::atomic<std::shared_ptr> is no better in libstdc++ 12:
// it spins on a bit, and its load() releases that bit relaxed, which races with the next store().)
#pragma once

#include <memory>
#include <mutex>

#include "fs/view.h"

namespace imagefs::fs {

class CurrentView {
 public:
  [[nodiscard]] std::shared_ptr<const View> load() const {
    const std::lock_guard lock(mutex_);
    return view_;
  }
  void store(std::shared_ptr<const View> view) {
    const std::lock_guard lock(mutex_);
    view_.swap(view);
  }  // the one before goes after the lock, if nobody reads it

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const View> view_;
};

}  // namespace imagefs::fs
