// Which files the kernel reads by itself, without a request (FUSE passthrough).
//
//   Handle handle{.content = node->open()};
//   handle.backing = mount.backing.open(node->id(), handle.content->file());
//   if (handle.backing.id() != 0) …              // tell the kernel with the answer
//
// The kernel fails an open that is not like the others of its node at that time: of the same file,
// or read by requests like them. So the first open decides for all, until the last one ends.
//
// Thread safety: every member from any thread.
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>

#include "fs/node.h"

namespace imagefs::fs {

class BackingFiles {
 public:
  // How the kernel is given a file, and told to let go of it. Neither may throw.
  struct Kernel {
    std::function<int(int fd)> open;  // its number for the file; -errno when it does not take it
    std::function<void(int id)> close;
  };

  // One open of a node; it ends with this object.
  class Open {
   public:
    Open() = default;
    Open(Open&& other) noexcept
        : files_(std::exchange(other.files_, nullptr)), node_(other.node_), id_(other.id_) {}
    Open& operator=(Open&& other) noexcept;
    Open(const Open&) = delete;
    Open& operator=(const Open&) = delete;
    ~Open() {
      if (files_ != nullptr) files_->close(node_);
    }

    // The kernel's number for the file; 0: the node is read by requests.
    [[nodiscard]] int id() const { return id_; }

   private:
    friend class BackingFiles;
    Open(BackingFiles& files, NodeId node, int id) : files_(&files), node_(node), id_(id) {}

    BackingFiles* files_ = nullptr;
    NodeId node_ = 0;
    int id_ = 0;
  };

  // Without it everything is read by requests.
  void start(Kernel kernel);
  // One more open of `node`. `fd`: a file that has exactly its bytes, which need not stay open;
  // nothing: this open had rather be read by requests.
  [[nodiscard]] Open open(NodeId node, std::optional<int> fd);

 private:
  struct Opened {
    int id = 0;
    unsigned count = 0;
  };

  void close(NodeId node) noexcept;
  [[nodiscard]] int give_to_kernel(int fd);

  std::mutex mutex_;
  Kernel kernel_;
  bool is_taken_ = false;  // whether the kernel takes files, as far as is known
  std::unordered_map<NodeId, Opened> nodes_;
};

}  // namespace imagefs::fs
