// What is open, by the number that the kernel has for it.
//
// Thread safety: every member from any thread. A request keeps what it works on alive: a reader
// that was killed can outlive its file.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "fs/backing_files.h"
#include "fs/ingest.h"
#include "fs/node.h"

namespace imagefs::fs {

struct Handle {
  ContentPtr content;               // what a read gives
  Ingest::Opened opened = {};       // a writer's file in ingest/, else null
  pid_t opener = 0;                 // the process that opened it for writing
  BackingFiles::Open backing = {};  // where the kernel may read a whole file by itself
};
using HandlePtr = std::shared_ptr<const Handle>;

class HandleTable {
 public:
  [[nodiscard]] std::uint64_t add(Handle handle);
  // Throws Error{EBADF}.
  [[nodiscard]] HandlePtr get(std::uint64_t number) const;
  // Removes it. Throws Error{EBADF}.
  [[nodiscard]] HandlePtr take(std::uint64_t number);

 private:
  mutable std::mutex mutex_;
  std::uint64_t last_ = 0;
  std::unordered_map<std::uint64_t, HandlePtr> handles_;
};

}  // namespace imagefs::fs
