// What every import into a mounted store does, wherever its bytes come from: it runs, the mount
// shows what it brought, and status.json and the log tell how it ended.
//
// Thread safety: every member from any thread.
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>

#include "blobstore/error.h"
#include "blobstore/store.h"
#include "fs/status.h"
#include "fs/verdict.h"
#include "importer/byte_source.h"
#include "importer/importer.h"
#include "importer/limits.h"

namespace imagefs::fs {

class ImportService {
 public:
  // `refresh`: makes the mount show the store as it is now; done when it returns.
  ImportService(std::shared_ptr<blobstore::Store> store, importer::Limits limits,
                std::shared_ptr<Status> status, std::function<void()> refresh);

  struct Arrival {
    std::string file;  // its name, for messages; its stem may become a repository
    uid_t user;
    bool temporary = false;  // the name is: the archive is published when it gets another
  };
  // Imports what `source` gives. `started` gets the importer before the first byte is read. An
  // Error with ECANCELED from the source is no refusal. Throws nothing: the verdict says what went
  // wrong.
  Verdict run(const Arrival& arrival, importer::ByteSource& source,
              const std::function<void(const importer::Importer&)>& started) noexcept;
  // An archive that was refused before its import began.
  void refuse(const Arrival& arrival, const Error& error);

 private:
  struct Job;

  [[nodiscard]] Verdict publish(Job& job, const std::string& name) noexcept;

  const std::shared_ptr<blobstore::Store> store_;
  const importer::Limits limits_;
  const std::shared_ptr<Status> status_;
  const std::function<void()> refresh_;
};

}  // namespace imagefs::fs
