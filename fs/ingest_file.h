// A name in ingest/: a file that is being written, or was a moment ago.
//
// It is the inode; what is written is an Upload, and each time a writer starts over there is a new
// one. At most one writer has the file open. To a writer it is empty at first, but what was there
// stays until it writes: touch(1) opens a file only to set its times.
//
// Thread safety: every member from any thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <ctime>
#include <mutex>
#include <optional>
#include <string>

#include "fs/caller.h"
#include "fs/node.h"
#include "fs/upload.h"

namespace imagefs::fs {

class IngestFile final : public Node {
 public:
  using Clock = std::chrono::steady_clock;
  using Writer = std::uint64_t;  // who has it open for writing; never 0

  // `mode`: the permission bits that its creator asked for.
  IngestFile(NodeId id, std::string name, const Caller& owner, mode_t mode);

  [[nodiscard]] NodeId id() const override { return id_; }
  [[nodiscard]] struct stat attributes() const override;
  [[nodiscard]] Lifetime lifetime() const override { return Lifetime::volatile_; }
  // An archive is consumed: every read gives Error{EPERM}.
  [[nodiscard]] ContentPtr open() const override;

  // Throws Error{EACCES} unless it is the owner's, root's or `daemon`'s request.
  void check_access(const Caller& caller, uid_t daemon) const;
  void change_mode(mode_t mode);
  void change_owner(std::optional<uid_t> uid, std::optional<gid_t> gid);
  void change_times(std::optional<timespec> accessed, std::optional<timespec> modified);

  struct Attached {
    Writer writer;
    UploadPtr before;  // what was cut off, or is truncated now, if anything
  };
  // A writer opens the file with a fresh upload. Throws Error{EBUSY} while another has it open and
  // has not closed it; one that has closed it is no writer any more, though its RELEASE may come
  // later. Waits a moment for a RELEASE that may be on its way. Throws Error{ESTALE} when the file
  // was removed.
  [[nodiscard]] Attached attach(UploadPtr fresh, bool truncate);
  // The writer starts over. Gives what it wrote before. Throws Error{ESTALE}, likewise.
  [[nodiscard]] UploadPtr replace(UploadPtr fresh);
  // What stays until the writer writes: it need not any more.
  [[nodiscard]] UploadPtr take_earlier();
  // Where the writer's bytes go. Throws Error{ESTALE} when it is no writer any more.
  [[nodiscard]] UploadPtr upload(Writer writer) const;
  // The writer's last descriptor is gone. Gives its upload, or null when it was no writer any more.
  [[nodiscard]] UploadPtr detach(Writer writer);
  [[nodiscard]] UploadPtr upload() const;
  // The last that something was written to, if any was.
  [[nodiscard]] UploadPtr written() const;

  [[nodiscard]] std::string name() const;
  void rename(std::string name);
  // While it is held nobody else renames the file, and no import of it begins: an import goes by
  // the name that it begins with.
  [[nodiscard]] std::unique_lock<std::mutex> hold_name();
  [[nodiscard]] uid_t owner() const;
  // Listed until its end.
  [[nodiscard]] bool is_arriving() const;
  // Arriving, and not known to be cut off.
  [[nodiscard]] bool takes_part() const;
  // Arriving, or good and waiting for its name: something is kept for it.
  [[nodiscard]] bool is_kept() const;
  [[nodiscard]] bool has_writer() const;
  // Nothing arrives from now on.
  void end();
  // It has no name any more, and can be opened no more.
  void remove();
  // Removes it if nothing has arrived since `oldest`, and nothing can: false if not.
  bool expire(Clock::time_point oldest);

 private:
  [[nodiscard]] bool is_open() const;
  void check_there() const;

  const NodeId id_;
  std::mutex naming_;  // taken before mutex_
  mutable std::mutex mutex_;
  std::condition_variable detached_;
  std::string name_;
  uid_t uid_;
  gid_t gid_;
  mode_t mode_;
  timespec accessed_;
  timespec modified_;
  timespec changed_;
  UploadPtr upload_;
  UploadPtr earlier_;  // had ended when upload_ took its place; counts while that one is empty
  bool removed_ = false;
  Writer writer_ = 0;
  Writer last_writer_ = 0;
  std::optional<Clock::time_point> ended_;  // since when nothing arrives
};

using IngestFilePtr = std::shared_ptr<IngestFile>;

}  // namespace imagefs::fs
