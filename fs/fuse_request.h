// A request of the kernel, answered exactly once: whatever is forgotten is answered with EIO.
//
// Thread safety: one Request belongs to one thread at a time; it may be moved to another.
#pragma once

#ifndef FUSE_USE_VERSION
#define FUSE_USE_VERSION 314
#endif
#include <fuse_lowlevel.h>

#include <cstdint>
#include <span>
#include <string>
#include <utility>

#include "fs/caller.h"
#include "fs/pending.h"

namespace imagefs::fs {

class Request {
 public:
  explicit Request(fuse_req_t raw) noexcept : raw_(raw) {}
  Request(Request&& other) noexcept : raw_(std::exchange(other.raw_, nullptr)) {}
  Request& operator=(Request&&) = delete;
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;
  ~Request() { error(EIO); }

  [[nodiscard]] Caller caller() const;
  // For libfuse's functions that format a part of an answer.
  [[nodiscard]] fuse_req_t raw() const { return raw_; }
  // Whether the caller is being killed, and waits for this answer.
  [[nodiscard]] bool is_abandoned() const;

  // Each answers, unless the request has been answered or moved away. Where the result is false,
  // the kernel did not take the answer: what it would have held on to (a lookup, an open file) it
  // does not have.
  void error(int errno_value) noexcept;
  void done() noexcept;
  void none() noexcept;
  [[nodiscard]] bool entry(const fuse_entry_param& entry);
  [[nodiscard]] bool created(const fuse_entry_param& entry, const fuse_file_info& file);
  [[nodiscard]] bool opened(const fuse_file_info& file);
  void attributes(const struct stat& attributes, double timeout);
  void target(const std::string& target);
  void written(std::size_t count);
  void bytes(std::span<const std::byte> bytes);
  void xattr_size(std::size_t size);
  void offset(std::uint64_t offset);
  void filesystem(const struct statvfs& statistics);

 private:
  [[nodiscard]] fuse_req_t take() noexcept { return std::exchange(raw_, nullptr); }

  fuse_req_t raw_;
};

// A WRITE (`count` bytes) or another request that answers with success or an errno alone.
[[nodiscard]] PendingPtr pending_write(Request request, std::size_t count);
[[nodiscard]] PendingPtr pending(Request request);

}  // namespace imagefs::fs
