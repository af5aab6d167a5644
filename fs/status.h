// What .imagefs/status.json says: what the store holds, which imports are under way, how the last
// ones ended, and counters since the mount.
//
//   Status::Id id = status.arrived("busybox.tar", uid, [&] { return importer.progress(); });
//   status.imported(id, outcome);          // or refused(id, error), or cancelled(id)
//
// Thread safety: every member from any thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <ctime>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "blobstore/error.h"
#include "blobstore/store.h"
#include "importer/importer.h"

namespace imagefs::fs {

class Status {
 public:
  using Id = std::uint64_t;
  using Progress = std::function<importer::Progress()>;

  // How many ends of imports, and as many refusals, are remembered.
  static constexpr std::size_t kRemembered = 32;

  explicit Status(std::shared_ptr<const blobstore::Store> store);

  // An import begins. `progress` is called by render(), under this object's lock (it must not call
  // back), and never again once imported(), refused() or cancelled() has returned.
  [[nodiscard]] Id arrived(std::string file, uid_t user, Progress progress);
  // The file has another name now.
  void renamed(Id id, std::string file);
  // How the import ended. An id that has ended already is ignored.
  void imported(Id id, const importer::Outcome& outcome);
  void refused(Id id, const Error& error);
  void cancelled(Id id);  // its writer took it back: no refusal
  // A file that was refused before it became an import (too many at once).
  void refused(std::string file, uid_t user, const Error& error);

  // The document, with a newline at its end. Names that are no UTF-8 have U+FFFD in place of what
  // is not. What cannot be read of the store is left out.
  [[nodiscard]] std::string render() const;

 private:
  struct Arrival {
    std::string file;
    uid_t user;
    std::time_t since;
    Progress progress;
  };
  struct Imported {
    std::string file;
    uid_t user;
    std::time_t at;
    std::vector<importer::ImportedImage> images;
    std::vector<std::string> notes;
  };
  struct Refused {
    std::string file;
    uid_t user;
    std::time_t at;
    int errno_value;
    std::string reason;
  };
  struct Counters {
    std::uint64_t imported = 0;
    std::uint64_t refused = 0;
    std::uint64_t cancelled = 0;
    std::uint64_t bytes = 0;  // of archives that were imported
  };
  struct Json;

  void remember(Refused refusal);

  const std::shared_ptr<const blobstore::Store> store_;
  mutable std::mutex mutex_;
  Id last_id_ = 0;
  std::map<Id, Arrival> arrivals_;
  std::deque<Imported> imported_;
  std::deque<Refused> refused_;
  Counters counters_;
};

}  // namespace imagefs::fs
