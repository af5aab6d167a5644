#include "fs/fuse_request.h"

#include <cerrno>
#include <memory>

namespace imagefs::fs {
namespace {

// The kernel ignores an answer with any other errno, and the caller waits for ever
// (fuse_dev_do_write in fs/fuse/dev.c).
constexpr int kErrnoEnd = 512;

class PendingRequest : public Pending {
 public:
  explicit PendingRequest(Request request) : request_(std::move(request)) {}
  void answer(int errno_value) override {
    errno_value == 0 ? request_.done() : request_.error(errno_value);
  }
  bool abandoned() const override { return request_.is_abandoned(); }

 protected:
  Request& request() { return request_; }

 private:
  Request request_;
};

class PendingWrite final : public PendingRequest {
 public:
  PendingWrite(Request request, std::size_t count)
      : PendingRequest(std::move(request)), count_(count) {}
  void answer(int errno_value) override {
    errno_value == 0 ? request().written(count_) : request().error(errno_value);
  }

 private:
  std::size_t count_;
};

}  // namespace

Caller Request::caller() const {
  const fuse_ctx* context = ::fuse_req_ctx(raw_);
  return {.uid = context->uid, .gid = context->gid, .pid = context->pid};
}

bool Request::is_abandoned() const {
  if (::fuse_req_interrupted(raw_) == 0) return false;
  const pid_t pid = caller().pid;
  return pid == 0 || is_dying(pid);
}

void Request::error(int errno_value) noexcept {
  const bool known = errno_value > 0 && errno_value < kErrnoEnd;
  if (raw_ != nullptr) ::fuse_reply_err(take(), known ? errno_value : EIO);
}

void Request::done() noexcept {
  if (raw_ != nullptr) ::fuse_reply_err(take(), 0);
}

void Request::none() noexcept {
  if (raw_ != nullptr) ::fuse_reply_none(take());
}

bool Request::entry(const fuse_entry_param& entry) {
  return ::fuse_reply_entry(take(), &entry) == 0;
}

bool Request::created(const fuse_entry_param& entry, const fuse_file_info& file) {
  return ::fuse_reply_create(take(), &entry, &file) == 0;
}

bool Request::opened(const fuse_file_info& file) { return ::fuse_reply_open(take(), &file) == 0; }

void Request::attributes(const struct stat& attributes, double timeout) {
  ::fuse_reply_attr(take(), &attributes, timeout);
}

void Request::target(const std::string& target) { ::fuse_reply_readlink(take(), target.c_str()); }

void Request::written(std::size_t count) { ::fuse_reply_write(take(), count); }

void Request::bytes(std::span<const std::byte> bytes) {
  ::fuse_reply_buf(take(), reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

void Request::xattr_size(std::size_t size) { ::fuse_reply_xattr(take(), size); }

void Request::offset(std::uint64_t offset) {
  ::fuse_reply_lseek(take(), static_cast<off_t>(offset));
}

void Request::filesystem(const struct statvfs& statistics) {
  ::fuse_reply_statfs(take(), &statistics);
}

PendingPtr pending_write(Request request, std::size_t count) {
  return std::make_unique<PendingWrite>(std::move(request), count);
}

PendingPtr pending(Request request) { return std::make_unique<PendingRequest>(std::move(request)); }

}  // namespace imagefs::fs
