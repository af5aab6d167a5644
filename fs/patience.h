// How long somebody waits for what is not there yet.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>

namespace imagefs::fs {

// Called by what keeps a request waiting, once in each period. Throws Error when nobody waits for
// the answer any more: EINTR (the caller is being killed), ESHUTDOWN (the mount goes away).
using Patience = std::function<void()>;
inline constexpr std::chrono::milliseconds kPatiencePeriod{100};

// Waits until `decided` holds, which is asked under the lock, or throws what `patience` does, which
// is called without it.
template <typename Decided>
void wait_patiently(std::unique_lock<std::mutex>& lock, std::condition_variable& changed,
                    const Patience& patience, const Decided& decided) {
  while (!changed.wait_for(lock, kPatiencePeriod, decided)) {
    lock.unlock();
    patience();
    lock.lock();
  }
}

}  // namespace imagefs::fs
