// libfuse's session of one mount, and the threads that serve its requests.
//
//   FuseSession session(options, mount);
//   session.mount("/mnt/images");
//   session.start(2);
//   … until session.ended_fd() is readable, or the mount is to go …
//   session.unmount();
//   session.stop();            // no request is served any more
//   … what answers late answers now …
//   session.disconnect();      // whoever still waits for an answer gets an error
//
// Thread safety: the members are for one thread, but for invalidate().
#pragma once

#include <atomic>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "blobstore/unique_fd.h"
#include "fs/node.h"

struct fuse_session;

namespace imagefs::fs {

struct Mount;

class FuseSession {
 public:
  // `options`: what mount gets with -o, each by itself. Throws Error{EINVAL} for one that libfuse
  // does not know. `mount` must outlive this object.
  FuseSession(const std::vector<std::string>& options, Mount& mount);
  FuseSession(const FuseSession&) = delete;
  FuseSession& operator=(const FuseSession&) = delete;
  ~FuseSession();

  // Throws Error when the mount cannot be made. "/dev/fd/N": requests come from that descriptor,
  // which is this object's from then on; who gave it has mounted, or speaks for the kernel.
  void mount(const std::filesystem::path& mountpoint);
  void start(unsigned threads);
  // Readable when a request thread has ended by itself: somebody has unmounted.
  [[nodiscard]] int ended_fd() const { return ended_.get(); }
  // Takes the mount out of the tree of files; who has something open there keeps it.
  void unmount();
  void stop();
  void disconnect();

  // The kernel forgets what it knows of a directory: attributes, listing. (To forget a name it
  // would take the directory's lock, whose holder may wait for an answer of ours: a daemon that is
  // killed then would hang with it.)
  void invalidate(NodeId directory);

 private:
  void serve();

  Mount& mount_;
  std::unique_ptr<fuse_session, void (*)(fuse_session*)> session_;
  std::filesystem::path mountpoint_;
  std::vector<std::thread> threads_;
  std::atomic<unsigned> serving_ = 0;
  UniqueFd ended_;
};

}  // namespace imagefs::fs
