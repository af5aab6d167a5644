// The kernel's side of a FUSE session, without a kernel: one end of a socket pair whose other end
// a FuseSession serves.
//
//   const Reply reply = client.call(call::lookup(1, "images"));
//   const std::uint64_t flush = client.send(call::flush(node, handle));   // answered later
//   client.send(call::interrupt(flush));
//   BOOST_TEST(client.wait(flush).errno_value == EINTR);
//
// Thread safety: for one thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "blobstore/unique_fd.h"
#include "fs/caller.h"
#include "tests/fs/fuse_calls.h"

namespace imagefs::fs::test {

struct Reply {
  int errno_value;
  Bytes body;

  template <typename T>
  [[nodiscard]] T as() const {
    return value_of<T>(body);
  }
};

struct Notification {
  int code;  // FUSE_NOTIFY_INVAL_INODE …
  Bytes body;
};

class FuseClient {
 public:
  // Messages stay whole on `socket` (SOCK_SEQPACKET).
  explicit FuseClient(UniqueFd socket);

  // Who asks: this process, unless a test says otherwise.
  Caller caller;

  // Gives the number that the answer will have. `length`: what the request says of its own, if it
  // lies.
  std::uint64_t send(const Call& call, std::optional<std::uint32_t> length = {});
  // A message that need not be a request.
  void send_message(std::string_view message);
  // Waits for the answer, and keeps those to other requests. Throws std::runtime_error when none
  // comes, or the session has ended.
  Reply wait(std::uint64_t unique);
  Reply call(const Call& call) { return wait(send(call)); }
  // Waits until the session lets go of its end.
  void wait_for_end();

  // What has come before the last answer that was waited for.
  [[nodiscard]] const std::vector<Notification>& notifications() const { return notifications_; }
  // Nodes of which the session has said that they are to be looked at again.
  [[nodiscard]] std::set<NodeId> invalidated() const;
  // Answers to what was not asked, or was answered already.
  [[nodiscard]] const std::vector<std::uint64_t>& strays() const { return strays_; }

 private:
  // False at the end.
  bool receive();
  void keep(const Bytes& message);

  const UniqueFd socket_;
  Bytes buffer_;
  std::uint64_t last_ = 0;
  std::set<std::uint64_t> asked_;
  std::map<std::uint64_t, Reply> replies_;
  std::vector<Notification> notifications_;
  std::vector<std::uint64_t> strays_;
};

}  // namespace imagefs::fs::test
