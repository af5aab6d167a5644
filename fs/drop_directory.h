// A directory of the host whose archives are imported: what lies there at the start, and what lands
// later when its writer closes it or renames it there.
//
// One file after the other, oldest first and by name among equals, so that of two files for one
// name the newer one wins. A file that somebody has open for writing waits. A refused one gets
// <name>.error beside it and is tried again when it changes. Names that begin with a dot or end in
// ".error", and what is no regular file, are left alone.
//
// Thread safety: works in a thread of its own from its construction to its destruction.
#pragma once

#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "blobstore/unique_fd.h"
#include "fs/drop_memory.h"
#include "fs/verdict.h"
#include "importer/byte_source.h"

namespace imagefs::fs {

class DropDirectory {
 public:
  using Clock = std::chrono::steady_clock;
  // Imports one archive. `user`: the file's owner. Must not throw; an Error{ECANCELED} of the
  // source is no refusal.
  using Import =
      std::function<Verdict(const std::string& file, uid_t user, importer::ByteSource& source)>;

  // `store_fd`: the store's directory, which outlives this object. Throws Error when the directory
  // cannot be watched.
  DropDirectory(const std::filesystem::path& directory, int store_fd, Import import);
  DropDirectory(const DropDirectory&) = delete;
  DropDirectory& operator=(const DropDirectory&) = delete;
  ~DropDirectory();  // gives up an import that is under way

 private:
  void run();
  void wait();
  void read_events();
  void handle_event(std::string_view name, std::uint32_t mask);
  void scan();
  void look_at_due();
  void look_at(const std::string& name);
  void judge(const std::string& name, UniqueFd file, const struct stat& attributes);
  void write_reason(const std::string& name, const std::string& sentence);
  void remove_reason(const std::string& name);

  const std::filesystem::path path_;
  const Import import_;
  UniqueFd directory_;
  UniqueFd inotify_;
  UniqueFd stop_;
  DropMemory memory_;
  std::map<std::string, Clock::time_point> due_;  // files to look at, and when
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

}  // namespace imagefs::fs
