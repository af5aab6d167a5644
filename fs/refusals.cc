#include "fs/refusals.h"

#include <algorithm>
#include <cstring>
#include <ctime>
#include <map>
#include <utility>

#include "fs/log.h"

namespace imagefs::fs {
namespace {

constexpr mode_t kMode = S_IFREG | 0444;

class Line final : public Content {
 public:
  explicit Line(std::string text) : text_(std::move(text)) {}
  std::size_t read(std::span<std::byte> into, std::uint64_t offset) const override {
    if (offset >= text_.size()) return 0;
    const std::size_t count = std::min<std::size_t>(into.size(), text_.size() - offset);
    std::memcpy(into.data(), text_.data() + offset, count);
    return count;
  }
  std::uint64_t size() const override { return text_.size(); }

 private:
  const std::string text_;
};

class RefusalNode final : public Node {
 public:
  RefusalNode(NodeId id, const Refusals::Owner& owner, std::string line)
      : content_(std::make_shared<Line>(std::move(line))) {
    attributes_.st_ino = id;
    attributes_.st_mode = kMode;
    attributes_.st_nlink = 1;
    attributes_.st_uid = owner.uid;
    attributes_.st_gid = owner.gid;
    attributes_.st_size = static_cast<off_t>(content_->size());
    attributes_.st_blksize = 4096;
    ::clock_gettime(CLOCK_REALTIME, &attributes_.st_mtim);
    attributes_.st_atim = attributes_.st_ctim = attributes_.st_mtim;
  }
  NodeId id() const override { return attributes_.st_ino; }
  struct stat attributes() const override { return attributes_; }
  Lifetime lifetime() const override { return Lifetime::volatile_; }
  ContentPtr open() const override { return content_; }

 private:
  struct stat attributes_{};
  ContentPtr content_;
};

}  // namespace

Refusals::Refusals(std::function<NodeId()> new_id) : new_id_(std::move(new_id)) {}

void Refusals::add(const std::string& archive, const std::string& sentence, const Owner& owner) {
  Refusal refusal{
      .name = archive + std::string(kSuffix),
      .owner = owner.uid,
      .since = Clock::now(),
      .node = std::make_shared<RefusalNode>(new_id_(), owner, one_line(sentence) + "\n")};
  const std::lock_guard lock(mutex_);
  std::erase_if(refusals_, [&](const Refusal& old) { return old.name == refusal.name; });
  refusals_.push_back(std::move(refusal));
  drop_old();
}

bool Refusals::remove(std::string_view archive) {
  const std::string name = std::string(archive) + std::string(kSuffix);
  const std::lock_guard lock(mutex_);
  return std::erase_if(refusals_, [&](const Refusal& old) { return old.name == name; }) != 0;
}

std::optional<Refusals::Refusal> Refusals::find(std::string_view file) const {
  for (Refusal& refusal : all()) {
    if (refusal.name == file) return std::move(refusal);
  }
  return {};
}

std::vector<Refusals::Refusal> Refusals::all() const {
  const Clock::time_point oldest = Clock::now() - kKept;
  const std::lock_guard lock(mutex_);
  std::vector<Refusal> result;
  std::ranges::copy_if(refusals_, std::back_inserter(result),
                       [&](const Refusal& refusal) { return refusal.since >= oldest; });
  return result;
}

void Refusals::drop_old() {
  if (refusals_.size() <= kMost) return;
  std::map<uid_t, std::size_t> counts;
  for (const Refusal& refusal : refusals_) ++counts[refusal.owner];
  const auto by_count = [](const auto& one, const auto& other) {
    return one.second < other.second;
  };
  const uid_t owner = std::ranges::max_element(counts, by_count)->first;
  refusals_.erase(std::ranges::find(refusals_, owner, &Refusal::owner));
}

}  // namespace imagefs::fs
