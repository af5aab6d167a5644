// An import for tests: reads what comes and keeps it. "BAD" fails it at once with EBADMSG; without
// "END" it is not complete.
#pragma once

#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <string>

#include "blobstore/error.h"
#include "fs/verdict.h"
#include "importer/byte_pipe.h"

namespace imagefs::fs::test {

class FakeImport {
 public:
  Verdict run(importer::BytePipe& pipe) {
    wait_for_leave();
    std::string text;
    pipe.set_complete([&] { return text.find("END") != std::string::npos; });
    try {
      for (;;) {
        const auto bytes = pipe.next();
        if (bytes.empty()) break;
        text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
        if (text.find("BAD") != std::string::npos) throw Error(EBADMSG, "BAD is in it");
      }
    } catch (const Error& error) {
      return keep(text, {error.errno_value(), error.sentence()});
    }
    if (text.find("END") == std::string::npos) return keep(text, {ENODATA, "END is missing"});
    return keep(text, {});
  }

  // Until go() no byte is read.
  void hold() {
    const std::lock_guard lock(mutex_);
    held_ = true;
  }
  void go() {
    const std::lock_guard lock(mutex_);
    held_ = false;
    changed_.notify_all();
  }
  // What the last import read.
  [[nodiscard]] std::string text() const {
    const std::lock_guard lock(mutex_);
    return text_;
  }

 private:
  void wait_for_leave() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !held_; });
  }
  Verdict keep(const std::string& text, Verdict verdict) {
    const std::lock_guard lock(mutex_);
    text_ = text;
    return verdict;
  }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool held_ = false;
  std::string text_;
};

}  // namespace imagefs::fs::test
