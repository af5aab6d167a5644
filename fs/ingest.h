// ingest/: the directory in which archives arrive.
//
// It lists what is arriving and, as <name>.error, what was refused. After its end a name is not
// listed any more and still answers for `grace`, because copies set modes and times, and rename,
// after they have closed.
//
// Thread safety: every member from any thread. Lock order: Ingest, IngestFile, Upload, BytePipe;
// none is held while an import, an answer or a hook runs.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <ctime>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "blobstore/error.h"
#include "fs/caller.h"
#include "fs/ingest_file.h"
#include "fs/node.h"
#include "fs/refusals.h"
#include "fs/threads.h"
#include "fs/verdict.h"
#include "importer/byte_pipe.h"

namespace imagefs::fs {

class Ingest {
 public:
  struct Options {
    uid_t uid = 0;  // owner of the directory
    gid_t gid = 0;
    mode_t mode = 0755;  // its permission bits
    std::size_t max_imports = 64;
    std::chrono::seconds idle_timeout{0};  // without a written byte; 0: never
    std::chrono::milliseconds grace{30'000};
  };
  struct Arrival {
    std::string file;
    uid_t user;
    // The name begins with a dot: the writer will rename it, and the archive is published then.
    bool temporary;
  };
  struct Hooks {
    // Imports one archive, in a thread of its own. Must not throw.
    std::function<Verdict(const Arrival&, importer::BytePipe&)> import;
    // An archive was refused at its open.
    std::function<void(const Arrival&, const Error&)> refuse;
  };

  Ingest(Options options, Hooks hooks);
  Ingest(const Ingest&) = delete;
  Ingest& operator=(const Ingest&) = delete;
  ~Ingest();  // stop()

  [[nodiscard]] mode_t mode() const { return options_.mode; }
  // The directory. It must not outlive this object.
  [[nodiscard]] NodePtr directory() const { return directory_; }
  // An arriving or just finished archive, or a refusal; null when there is none.
  [[nodiscard]] NodePtr lookup(std::string_view name) const;
  // A file of this directory by its id, as long as anything knows it; else null.
  [[nodiscard]] IngestFilePtr file(NodeId id) const;

  struct Opened {
    IngestFilePtr file;
    IngestFile::Writer writer;
  };
  // `flags`: of open(2), of which O_EXCL and O_TRUNC count. Throws Error: EEXIST (O_EXCL),
  // ENAMETOOLONG, and as open() does.
  Opened create(std::string_view name, mode_t mode, int flags, const Caller& caller);
  // Opens for writing; what comes is a new archive. Without O_TRUNC one that has ended stays as it
  // is until something comes. Throws Error: EBUSY (has a writer), EAGAIN (too many imports), EACCES
  // (another user's), ESTALE (removed).
  Opened open(const IngestFilePtr& file, int flags, const Caller& caller);
  // Throws Error{EACCES} unless the caller may change the file: its owner, root, the daemon's user.
  void check_access(const IngestFile& file, const Caller& caller) const;
  // The writer's last descriptor was closed.
  void release(const Opened& opened);
  // Size 0 starts over; more is a promise of zeros. Throws Error{EINVAL, EACCES, ESTALE}.
  void truncate(const IngestFilePtr& file, std::uint64_t size, const Caller& caller);
  // Removes a refusal; cancels an arriving archive: its writer gets ECANCELED from now on, and its
  // descriptor can start nothing new (ESTALE). Throws Error{ENOENT, EACCES}.
  void unlink(std::string_view name, const Caller& caller);
  // A temporary name that gets a lasting one publishes its archive: throws what is wrong with it.
  // What had the new name is removed, as by unlink(). Throws Error: ENOENT, EEXIST (with `keep`),
  // EBUSY (a writer has the new name, or the temporary one), EACCES, EPERM (a refusal).
  void rename(std::string_view from, std::string_view to, bool keep, const Caller& caller);

  // Cancels what arrives and waits for its end; refuses what comes later with ESHUTDOWN.
  void stop();

 private:
  class Directory;
  // Ids of this directory's files have the top bit set, and grow.
  static constexpr NodeId kFirstId = 1ULL << 63;

  [[nodiscard]] NodeId new_id();
  [[nodiscard]] UploadPtr make_upload(const IngestFilePtr& file);
  [[nodiscard]] Verdict import(const IngestFilePtr& file, importer::BytePipe& pipe);
  void check_room(const Arrival& arrival);
  void check_count(const std::vector<IngestFilePtr>& files, std::size_t most,
                   const Arrival& arrival, const char* limit) const;
  void check_target(const IngestFilePtr& file, std::string_view to, bool keep,
                    const Caller& caller) const;
  // With mutex_ held: the name is no other file's by now.
  void forget_name(const IngestFilePtr& file);
  void remove_name(const IngestFilePtr& file);
  void publish(const IngestFile& file, const std::string& name);
  void incomplete(const IngestFilePtr& file, const Upload& upload, const std::string& sentence);
  void settled(const IngestFilePtr& file, const Upload& upload, const Verdict& verdict);
  [[nodiscard]] bool is_current(const IngestFilePtr& file, const Upload& upload) const;
  [[nodiscard]] IngestFilePtr find(std::string_view name) const;
  [[nodiscard]] std::pair<IngestFilePtr, bool> find_or_make(std::string_view name, mode_t mode,
                                                            const Caller& caller);
  [[nodiscard]] std::vector<IngestFilePtr> files() const;
  [[nodiscard]] std::vector<IngestFilePtr> known_files() const;
  void touch();
  void watch();
  void look_after(const std::vector<IngestFilePtr>& files);
  void forget_ended();

  const Options options_;
  const Hooks hooks_;
  const NodePtr directory_;
  Refusals refusals_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, IngestFilePtr, std::less<>> names_;
  std::unordered_map<NodeId, std::weak_ptr<IngestFile>> ids_;
  std::atomic<NodeId> last_id_;
  timespec modified_{};
  bool stopped_ = false;
  Threads threads_;
  std::thread watcher_;
};

}  // namespace imagefs::fs
