// How long somebody waits for what is not there yet.
#pragma once

#include <chrono>
#include <functional>

namespace imagefs::fs {

// Called by what keeps a request waiting, once in each period. Throws Error when nobody waits for
// the answer any more: EINTR (the caller is being killed), ESHUTDOWN (the mount goes away).
using Patience = std::function<void()>;
inline constexpr std::chrono::milliseconds kPatiencePeriod{100};

}  // namespace imagefs::fs
