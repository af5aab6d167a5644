#include "fs/fuse_later.h"

#include <memory>
#include <utility>

#include "fs/fuse_guard.h"

namespace imagefs::fs {
namespace {

class WaitingRequest final : public Later::Waiting {
 public:
  WaitingRequest(Request request, LateAnswer answer)
      : request_(std::move(request)), answer_(std::move(answer)) {}
  void answer(const Patience& patience) noexcept override {
    guard(request_, [&] { answer_(request_, patience); });
  }
  void refuse(int errno_value) noexcept override { request_.error(errno_value); }
  [[nodiscard]] bool abandoned() const override { return request_.is_abandoned(); }

 private:
  Request request_;
  const LateAnswer answer_;
};

}  // namespace

void answer_later(Later& later, Request& request, LateAnswer answer) {
  later.add(std::make_unique<WaitingRequest>(std::move(request), std::move(answer)));
}

}  // namespace imagefs::fs
