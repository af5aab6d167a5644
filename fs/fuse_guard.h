// What stands between libfuse and an operation: an exception becomes the answer. One that left a
// callback would end the daemon and leave a dead mount.
#pragma once

#include <cerrno>
#include <exception>
#include <new>
#include <system_error>

#include "fs/fuse_mount.h"
#include "fs/fuse_request.h"

namespace imagefs::fs {

// Runs an operation, or what is left of it in another thread.
template <typename Part>
void guard(Request& request, const Part& part) noexcept {
  try {
    part();
  } catch (const std::system_error& error) {
    request.error(error.code().value());
  } catch (const std::bad_alloc&) {
    request.error(ENOMEM);
  } catch (...) {
    request.error(EIO);
  }
}

template <auto operation>
struct Guard;

template <typename... Args, void (*operation)(Mount&, Request&, Args...)>
struct Guard<operation> {
  static void call(fuse_req_t raw, Args... args) noexcept {
    Request request(raw);
    guard(request,
          [&] { operation(*static_cast<Mount*>(::fuse_req_userdata(raw)), request, args...); });
  }
};

// The callback for libfuse's table.
template <auto operation>
inline constexpr auto kGuarded = &Guard<operation>::call;

}  // namespace imagefs::fs
