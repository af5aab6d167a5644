#include "importer/byte_pipe.h"

#include <algorithm>
#include <utility>

namespace imagefs::importer {
namespace {

// Small writes are joined up to this size: a reader is slow with blocks of a few bytes.
constexpr std::size_t kJoinedBlock = std::size_t{256} << 10;
// A reader that is slower than the writer gives back one buffer for each that is filled.
constexpr std::size_t kSpares = 2;

std::span<const std::byte> zeros(std::uint64_t count) {
  static const std::vector<std::byte> block(kJoinedBlock);
  return std::span(block).first(std::min<std::uint64_t>(count, block.size()));
}

}  // namespace

BytePipe::BytePipe(std::size_t capacity, std::function<void()> on_room)
    : capacity_(capacity), on_room_(std::move(on_room)) {}

BytePipe::~BytePipe() = default;

bool BytePipe::write(std::span<const std::byte> bytes) {
  std::vector<std::byte> buffer;
  {
    const Lock lock(mutex_);
    if (bytes.empty() || drops()) return true;
    if (!has_room(bytes.size())) {
      refused_ = true;
      return false;
    }
    if (joins_last(bytes.size())) {
      auto& last = blocks_.back().bytes;
      last.insert(last.end(), bytes.begin(), bytes.end());
      waiting_ += bytes.size();
      return true;
    }
    buffer = take_spare();
  }
  buffer.assign(bytes.begin(), bytes.end());
  push({.bytes = std::move(buffer)});
  return true;
}

bool BytePipe::write_zeros(std::uint64_t count) {
  const Lock lock(mutex_);
  if (count == 0 || drops()) return true;
  if (!blocks_.empty() && blocks_.back().zeros > 0) {
    blocks_.back().zeros += count;
    return true;
  }
  if (!has_room(0)) {
    refused_ = true;
    return false;
  }
  blocks_.push_back({.zeros = count});
  readable_.notify_one();
  return true;
}

bool BytePipe::drops() const { return reader_closed_ || ended_ || end_asked_ || error_ != nullptr; }

bool BytePipe::has_room(std::size_t bytes) const {
  if (blocks_.size() >= kMaxBlocks && !joins_last(bytes)) return false;
  return waiting_ == 0 || bytes <= capacity_ - std::min(waiting_, capacity_);
}

bool BytePipe::joins_last(std::size_t bytes) const {
  if (bytes == 0 || blocks_.empty() || blocks_.back().zeros > 0) return false;
  return blocks_.back().bytes.size() + bytes <= kJoinedBlock;
}

std::vector<std::byte> BytePipe::take_spare() {
  if (spares_.empty()) return {};
  std::vector<std::byte> spare = std::move(spares_.back());
  spares_.pop_back();
  return spare;
}

void BytePipe::push(Block block) {
  const Lock lock(mutex_);
  if (drops()) return;
  waiting_ += block.bytes.size();
  blocks_.push_back(std::move(block));
  readable_.notify_one();
}

void BytePipe::flush(bool end, std::function<void()> incomplete) {
  const Lock lock(mutex_);
  if (drops()) return;
  end_asked_ = end;
  flushes_.push_back({.end = end, .incomplete = std::move(incomplete)});
  readable_.notify_one();
}

void BytePipe::abort(std::exception_ptr error) {
  const Lock lock(mutex_);
  if (!error_) error_ = std::move(error);
  readable_.notify_one();
}

void BytePipe::set_complete(std::function<bool()> complete) { complete_ = std::move(complete); }

std::span<const std::byte> BytePipe::next() {
  Lock lock(mutex_);
  for (;;) {
    if (error_) std::rethrow_exception(error_);
    if (current_.zeros > 0) return take_zeros();
    recycle_current();
    if (ended_ || reader_closed_) return {};
    if (!blocks_.empty()) return take_block(lock);
    if (!flushes_.empty()) {
      settle(lock);
    } else {
      readable_.wait(lock);
    }
  }
}

std::span<const std::byte> BytePipe::take_zeros() {
  const std::span<const std::byte> some = zeros(current_.zeros);
  current_.zeros -= some.size();
  return some;
}

std::span<const std::byte> BytePipe::take_block(Lock& lock) {
  current_ = std::move(blocks_.front());
  blocks_.pop_front();
  waiting_ -= current_.bytes.size();
  const bool tell = std::exchange(refused_, false);
  lock.unlock();
  if (tell) on_room_();
  return current_.zeros > 0 ? take_zeros() : std::span<const std::byte>(current_.bytes);
}

void BytePipe::recycle_current() {
  if (current_.bytes.capacity() > 0 && spares_.size() < kSpares) {
    spares_.push_back(std::move(current_.bytes));
  }
  current_ = {};
}

// Gives the flushes that ask their answer: the end of the stream, or a call of each.
void BytePipe::settle(Lock& lock) {
  const std::vector<Flush> flushes = std::exchange(flushes_, {});
  const bool end = std::ranges::any_of(flushes, &Flush::end);
  lock.unlock();
  const bool ends = end || (complete_ && complete_());
  if (!ends) {
    for (const Flush& flush : flushes) flush.incomplete();
  }
  lock.lock();
  ended_ = ends;
}

void BytePipe::check() {
  const Lock lock(mutex_);
  if (error_) std::rethrow_exception(error_);
}

void BytePipe::close_reader() {
  std::deque<Block> dropped;
  std::vector<Flush> unanswered;
  bool tell = false;
  {
    const Lock lock(mutex_);
    reader_closed_ = true;
    dropped.swap(blocks_);
    unanswered.swap(flushes_);
    spares_.clear();
    waiting_ = 0;
    tell = std::exchange(refused_, false);
  }
  if (tell) on_room_();
}

}  // namespace imagefs::importer
