// One line on a terminal that says how far something is.
//
// Written here because Debian 12 packages no C++ library for it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

namespace imagefs::fs::commands {

struct ProgressSample {
  std::uint64_t done = 0;   // bytes
  std::uint64_t total = 0;  // bytes; 0: not known
  std::string what = {};    // what is being worked on
};

// "busybox.tar [####    ]  52 %  310.4 MiB/s  3 s left  blobs/sha256/…", at most `width` columns.
[[nodiscard]] std::string progress_line(const std::string& label, const ProgressSample& sample,
                                        std::chrono::duration<double> elapsed, std::size_t width);

// Draws until it is destroyed, which clears the line. `sample` is called from its own thread.
class ProgressBar {
 public:
  using Sampler = std::function<ProgressSample()>;

  // Nothing when standard error is no terminal.
  [[nodiscard]] static std::unique_ptr<ProgressBar> on_terminal(std::string label, Sampler sample);
  ProgressBar(std::string label, Sampler sample);
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

 private:
  void draw_until_stopped();

  const std::string label_;
  const Sampler sample_;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::mutex mutex_;
  std::condition_variable stopping_;
  bool stopped_ = false;
  std::thread thread_;
};

}  // namespace imagefs::fs::commands
