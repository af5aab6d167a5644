// A thread that hashes one span of bytes at a time, while its owner writes them.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <exception>
#include <mutex>
#include <span>
#include <thread>

#include "blobstore/digest.h"

namespace imagefs::blobstore {

class HashThread {
 public:
  explicit HashThread(Sha256& hash);
  HashThread(const HashThread&) = delete;
  HashThread& operator=(const HashThread&) = delete;
  ~HashThread();

  // Begins to hash; `bytes` must stay until wait() returns. The hash is the thread's till then.
  void start(std::span<const std::byte> bytes);
  // Returns when the span is hashed. Throws what the hash threw.
  void wait();

 private:
  void run();

  Sha256& hash_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::span<const std::byte> bytes_;
  std::exception_ptr failure_;
  bool busy_ = false;
  bool stopping_ = false;
  std::thread thread_;  // last: it uses the others
};

}  // namespace imagefs::blobstore
