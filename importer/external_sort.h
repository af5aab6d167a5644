// Sorts more records than memory should hold: runs of 32k records in a scratch file, merged at the
// end.
//
// Records are trivially copyable. Thread safety: one ExternalSort belongs to one thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <queue>
#include <span>
#include <type_traits>
#include <vector>

#include "importer/cache_file.h"
#include "importer/mapped_file.h"

namespace imagefs::importer {

template <typename Record>
class ExternalSort {
  static_assert(std::is_trivially_copyable_v<Record>);

 public:
  static constexpr std::size_t kRunLength = 1U << 15;

  // `directory_fd`: where the scratch file goes, see CacheFile; it is made when a run is full.
  explicit ExternalSort(int directory_fd) : directory_fd_(directory_fd) {}

  void add(const Record& record) { run_.push_back(record); }
  [[nodiscard]] bool run_is_full() const { return run_.size() >= kRunLength; }
  [[nodiscard]] std::uint64_t size() const { return spilled_ + run_.size(); }

  // Ends the run: sorts it and moves it to the scratch file. Throws Error.
  template <typename Less>
  void spill(const Less& less) {
    if (!scratch_) scratch_.emplace(directory_fd_);
    std::sort(run_.begin(), run_.end(), less);
    write_at(scratch_->fd(), run_.data(), run_.size() * sizeof(Record), spilled_ * sizeof(Record));
    starts_.push_back(spilled_);
    spilled_ += run_.size();
    run_.clear();
  }

  // Calls `visit` with all records in order. Throws Error.
  template <typename Less, typename Visit>
  void merge(const Less& less, const Visit& visit) {
    if (!scratch_) {
      std::sort(run_.begin(), run_.end(), less);
      std::for_each(run_.begin(), run_.end(), visit);
      return;
    }
    if (!run_.empty()) spill(less);
    run_.shrink_to_fit();
    const MappedFile mapped(scratch_->fd(), spilled_ * sizeof(Record));
    merge_runs(runs(mapped), less, visit);
  }

 private:
  using Run = std::span<const Record>;

  [[nodiscard]] std::vector<Run> runs(const MappedFile& mapped) const {
    const Run all = mapped.template as<Record>(0, spilled_);
    std::vector<Run> runs;
    for (std::size_t i = 0; i < starts_.size(); ++i) {
      const std::uint64_t end = i + 1 < starts_.size() ? starts_[i + 1] : spilled_;
      runs.push_back(all.subspan(starts_[i], end - starts_[i]));
    }
    return runs;
  }

  template <typename Less, typename Visit>
  static void merge_runs(std::vector<Run> runs, const Less& less, const Visit& visit) {
    const auto later = [&](const Run& a, const Run& b) { return less(b.front(), a.front()); };
    std::priority_queue<Run, std::vector<Run>, decltype(later)> queue(later, std::move(runs));
    while (!queue.empty()) {
      const Run run = queue.top();
      queue.pop();
      visit(run.front());
      if (run.size() > 1) queue.push(run.subspan(1));
    }
  }

  int directory_fd_;
  std::optional<CacheFile> scratch_;
  std::vector<Record> run_;
  std::vector<std::uint64_t> starts_;
  std::uint64_t spilled_ = 0;
};

}  // namespace imagefs::importer
