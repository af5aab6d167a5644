#include "fs/commands/progress_bar.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <utility>

#include "fs/commands/text.h"
#include "fs/quantity.h"

namespace imagefs::fs::commands {
namespace {

constexpr std::chrono::milliseconds kInterval{200};
constexpr std::uint64_t kBarWidth = 20;
constexpr std::size_t kDefaultWidth = 80;

std::size_t terminal_width() {
  winsize size{};
  const bool known = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : kDefaultWidth;
}

std::string bar(const ProgressSample& sample) {
  const double part =
      std::min(1.0, static_cast<double>(sample.done) / static_cast<double>(sample.total));
  const auto filled = static_cast<std::size_t>(part * kBarWidth);
  const std::string percent = std::to_string(static_cast<int>(part * 100));
  return "[" + std::string(filled, '#') + std::string(kBarWidth - filled, ' ') + "] " +
         std::string(3 - percent.size(), ' ') + percent + " %";
}

std::string time_left(const ProgressSample& sample, double rate) {
  const auto left = static_cast<double>(sample.total - std::min(sample.done, sample.total));
  return format_duration(std::chrono::seconds(std::llround(left / rate))) + " left";
}

}  // namespace

std::string progress_line(const std::string& label, const ProgressSample& sample,
                          std::chrono::duration<double> elapsed, std::size_t width) {
  const bool total_known = sample.total > 0;
  std::string line = printable(label) + " ";
  line += total_known ? bar(sample) : format_size(sample.done);
  const double rate = elapsed.count() > 0 ? static_cast<double>(sample.done) / elapsed.count() : 0;
  if (rate >= 1) {
    line += "  " + format_size(static_cast<std::uint64_t>(rate)) + "/s";
    if (total_known) line += "  " + time_left(sample, rate);
  }
  if (!sample.what.empty()) line += "  " + printable(sample.what);
  return line.substr(0, width);
}

std::unique_ptr<ProgressBar> ProgressBar::on_terminal(std::string label, Sampler sample) {
  if (::isatty(STDERR_FILENO) != 1) return nullptr;
  return std::make_unique<ProgressBar>(std::move(label), std::move(sample));
}

ProgressBar::ProgressBar(std::string label, Sampler sample)
    : label_(std::move(label)),
      sample_(std::move(sample)),
      thread_([this] { draw_until_stopped(); }) {}

ProgressBar::~ProgressBar() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  stopping_.notify_one();
  thread_.join();
  std::cerr << "\r\x1b[K" << std::flush;
}

void ProgressBar::draw_until_stopped() {
  std::unique_lock lock(mutex_);
  while (!stopping_.wait_for(lock, kInterval, [this] { return stopped_; })) {
    const auto elapsed = std::chrono::steady_clock::now() - start_;
    // The last column stays free: some terminals wrap when it is written.
    std::cerr << "\r\x1b[K" << progress_line(label_, sample_(), elapsed, terminal_width() - 1)
              << std::flush;
  }
}

}  // namespace imagefs::fs::commands
