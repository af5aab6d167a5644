#include "tests/fs/fuse_client.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>
#include <utility>

#include "blobstore/error.h"

namespace imagefs::fs::test {
namespace {

constexpr int kPatience = 60'000;          // ms; for a machine that is busy with something else
constexpr std::size_t kLargest = 2 << 20;  // of what a session sends

}  // namespace

FuseClient::FuseClient(UniqueFd socket)
    : caller{.uid = ::getuid(), .gid = ::getgid(), .pid = ::getpid()},
      socket_(std::move(socket)),
      buffer_(kLargest, '\0') {}

std::uint64_t FuseClient::send(const Call& call, std::optional<std::uint32_t> length) {
  const std::uint64_t unique = ++last_;
  fuse_in_header header{};
  header.len = length.value_or(static_cast<std::uint32_t>(sizeof header + call.body.size()));
  header.opcode = call.opcode;
  header.unique = unique;
  header.nodeid = call.node;
  header.uid = caller.uid;
  header.gid = caller.gid;
  header.pid = static_cast<std::uint32_t>(caller.pid);
  asked_.insert(unique);
  send_message(bytes_of(header) + call.body);
  return unique;
}

void FuseClient::send_message(std::string_view message) {
  const ssize_t sent = ::send(socket_.get(), message.data(), message.size(), MSG_NOSIGNAL);
  if (!std::cmp_equal(sent, message.size())) throw_errno("send");
}

Reply FuseClient::wait(std::uint64_t unique) {
  while (!replies_.contains(unique)) {
    if (!receive()) throw std::runtime_error("the session has ended");
  }
  return replies_.extract(unique).mapped();
}

void FuseClient::wait_for_end() {
  while (receive()) {
  }
}

bool FuseClient::receive() {
  pollfd waiting{.fd = socket_.get(), .events = POLLIN, .revents = 0};
  if (::poll(&waiting, 1, kPatience) != 1) throw std::runtime_error("no answer has come");
  const ssize_t size = ::recv(socket_.get(), buffer_.data(), buffer_.size(), 0);
  if (size < 0 && errno != ECONNRESET) throw_errno("recv");
  if (size <= 0) return false;
  keep(buffer_.substr(0, static_cast<std::size_t>(size)));
  return true;
}

void FuseClient::keep(const Bytes& message) {
  const auto header = value_of<fuse_out_header>(message);
  if (header.len != message.size()) throw std::runtime_error("an answer lies about its length");
  Bytes body = message.substr(sizeof header);
  if (header.unique == 0) {
    notifications_.push_back({header.error, std::move(body)});
  } else if (asked_.erase(header.unique) == 0) {
    strays_.push_back(header.unique);
  } else {
    replies_.emplace(header.unique, Reply{-header.error, std::move(body)});
  }
}

std::set<NodeId> FuseClient::invalidated() const {
  std::set<NodeId> nodes;
  for (const Notification& notification : notifications_) {
    if (notification.code != FUSE_NOTIFY_INVAL_INODE) continue;
    nodes.insert(value_of<fuse_notify_inval_inode_out>(notification.body).ino);
  }
  return nodes;
}

}  // namespace imagefs::fs::test
