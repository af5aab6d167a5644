// ingest/<name>.error: why the archive of that name was refused.
//
// Kept in memory, for a day, kMost of them: then the oldest goes of the user who has most.
//
// Thread safety: every member from any thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "fs/node.h"

namespace imagefs::fs {

class Refusals {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::size_t kMost = 256;
  static constexpr std::chrono::hours kKept{24};
  static constexpr std::string_view kSuffix = ".error";

  struct Owner {
    uid_t uid;
    gid_t gid;
  };
  struct Refusal {
    std::string name;  // of the file: "busybox.tar.error"
    uid_t owner;
    Clock::time_point since;
    NodePtr node;  // a file with one line: the reason
  };

  // `new_id`: gives ids that no other node has.
  explicit Refusals(std::function<NodeId()> new_id);

  // The archive `archive` was refused; an earlier refusal of that name goes.
  void add(const std::string& archive, const std::string& sentence, const Owner& owner);
  // A good archive of that name came. False when there was no refusal.
  bool remove(std::string_view archive);
  // By the file's own name ("busybox.tar.error"); nothing when there is none.
  [[nodiscard]] std::optional<Refusal> find(std::string_view file) const;
  [[nodiscard]] std::vector<Refusal> all() const;

 private:
  void drop_old();

  const std::function<NodeId()> new_id_;
  mutable std::mutex mutex_;
  std::deque<Refusal> refusals_;  // oldest first
};

}  // namespace imagefs::fs
