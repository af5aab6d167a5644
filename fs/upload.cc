#include "fs/upload.h"

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <system_error>
#include <utility>

#include "blobstore/error.h"

namespace imagefs::fs {
namespace {

bool is_padding(std::span<const std::byte> bytes) {
  return std::ranges::all_of(bytes, [](std::byte byte) { return byte == std::byte{0}; });
}

std::string count_bytes(std::uint64_t count) { return std::to_string(count) + " bytes"; }

}  // namespace

Upload::Upload(std::size_t capacity, Hooks hooks) : capacity_(capacity), hooks_(std::move(hooks)) {}

void Upload::write(std::span<const std::byte> bytes, std::uint64_t offset, PendingPtr pending) {
  Answers answers;
  const std::lock_guard lock(mutex_);
  if (const int refused = refusal(bytes, offset); refused != 0) {
    answers.add(std::move(pending), refused);
    return;
  }
  Piece piece{.offset = accepted_, .zeros = offset - accepted_, .bytes = {}, .pending = {}};
  if (!verdict_) start();
  accepted_ = offset + bytes.size();
  sized_last_ = false;
  closing_ = Closing::no;
  last_write_ = Clock::now();
  if (verdict_ || (queue_.empty() && pass(piece.zeros, bytes))) {
    answers.add(std::move(pending), 0);
    return;
  }
  piece.offset = offset - piece.zeros;
  piece.bytes.assign(bytes.begin(), bytes.end());
  piece.pending = std::move(pending);
  queue_.push_back(std::move(piece));
}

int Upload::refusal(std::span<const std::byte> bytes, std::uint64_t offset) const {
  if (verdict_ && verdict_->errno_value != 0) return verdict_->errno_value;
  if (offset < accepted_ || ending_) return EINVAL;
  return verdict_ && !is_padding(bytes) ? EINVAL : 0;
}

void Upload::extend(std::uint64_t size) {
  const std::lock_guard lock(mutex_);
  if (size < accepted_) {
    throw Error(EINVAL, "what has been read cannot be taken back: " + count_bytes(accepted_));
  }
  size_ = size;
  sized_last_ = true;
}

void Upload::flush(bool by_opener, PendingPtr pending) {
  Answers answers;
  const std::lock_guard lock(mutex_);
  const bool empty = accepted_ == 0 && size_ == 0;
  if (by_opener) closing_ = empty ? Closing::maybe : Closing::closed;
  if (verdict_ || empty) {
    answers.add(std::move(pending), verdict_ ? verdict_->errno_value : 0);
    return;
  }
  start();
  if (sized_last_) fill_gap();
  flushes_.push_back({.by_opener = by_opener, .pending = std::move(pending)});
  advance(answers);
}

void Upload::release() {
  Answers answers;
  const std::lock_guard lock(mutex_);
  if (verdict_) return;
  if (accepted_ == 0 && size_ == 0) {
    verdict_.emplace();
    return;
  }
  start();
  fill_gap();
  ending_ = true;
  advance(answers);
}

void Upload::cancel(int errno_value, const std::string& sentence) {
  const Verdict cancelled{.errno_value = errno_value, .sentence = sentence};
  std::optional<Verdict> dropped;  // without the lock: the archive with it
  const std::lock_guard lock(mutex_);
  if (!verdict_ && pipe_) {
    pipe_->abort(std::make_exception_ptr(Error(errno_value, sentence)));
  } else if (!verdict_ || verdict_->publish) {
    dropped = std::exchange(verdict_, cancelled);
  }
}

void Upload::drop_abandoned() {
  Answers answers;
  const std::lock_guard lock(mutex_);
  const auto is_abandoned = [](const auto& waiting) {
    return waiting.pending && waiting.pending->abandoned();
  };
  // What was to follow an abandoned write would not stand where it should.
  const auto first = std::ranges::find_if(queue_, is_abandoned);
  if (first != queue_.end()) accepted_ = first->offset;
  for (auto it = first; it != queue_.end(); ++it) answers.add(std::move(it->pending), EINTR);
  queue_.erase(first, queue_.end());
  for (Flush& waiting : flushes_) {
    if (is_abandoned(waiting)) answers.add(std::move(waiting.pending), EINTR);
  }
  std::erase_if(flushes_, [](const Flush& waiting) { return !waiting.pending; });
}

std::uint64_t Upload::size() const {
  const std::lock_guard lock(mutex_);
  return std::max(accepted_, size_);
}

bool Upload::is_settled() const {
  const std::lock_guard lock(mutex_);
  return verdict_.has_value();
}

bool Upload::is_kept() const {
  const std::lock_guard lock(mutex_);
  return !verdict_ || verdict_->publish;
}

std::optional<Verdict> Upload::verdict() const {
  const std::lock_guard lock(mutex_);
  return verdict_;
}

Verdict Upload::publish(const std::string& name) {
  std::function<Verdict(const std::string&)> waiting;
  {
    const std::lock_guard lock(mutex_);
    waiting = std::exchange(verdict_->publish, nullptr);
  }
  const Verdict verdict = waiting ? waiting(name) : Verdict{};
  const std::lock_guard lock(mutex_);
  if (waiting) verdict_ = verdict;
  return *verdict_;
}

Upload::Closing Upload::closing() const {
  const std::lock_guard lock(mutex_);
  return flushes_.empty() ? closing_ : Closing::no;
}

Upload::Clock::time_point Upload::last_write() const {
  const std::lock_guard lock(mutex_);
  return last_write_;
}

void Upload::start() {
  if (pipe_) return;
  auto pipe = std::make_unique<importer::BytePipe>(capacity_, [this] { on_room(); });
  hooks_.start([self = shared_from_this()] { self->run(); });
  pipe_ = std::move(pipe);
}

void Upload::run() {
  importer::BytePipe* pipe = nullptr;
  {
    const std::lock_guard lock(mutex_);  // start() has set pipe_ when it is free
    pipe = pipe_.get();
  }
  const Verdict verdict = hooks_.import(*pipe);
  settle(verdict);
  pipe->close_reader();
}

void Upload::settle(const Verdict& verdict) {
  hooks_.settled(*this, verdict);
  Answers answers;
  const std::lock_guard lock(mutex_);
  verdict_ = verdict;
  for (Piece& piece : queue_) {
    const int trailing = is_padding(piece.bytes) ? 0 : EINVAL;
    answers.add(std::move(piece.pending),
                verdict.errno_value != 0 ? verdict.errno_value : trailing);
  }
  for (Flush& waiting : flushes_) answers.add(std::move(waiting.pending), verdict.errno_value);
  queue_.clear();
  flushes_.clear();
}

void Upload::on_room() {
  Answers answers;
  const std::lock_guard lock(mutex_);
  advance(answers);
}

void Upload::on_incomplete() {
  Answers answers;
  std::string sentence;
  {
    const std::lock_guard lock(mutex_);
    for (Flush& waiting : flushes_) {
      if (!waiting.asked) continue;
      answers.add(std::move(waiting.pending), waiting.by_opener ? ENODATA : 0);
      if (waiting.by_opener)
        sentence = "closed before it was complete, after " + count_bytes(accepted_);
    }
    std::erase_if(flushes_, &Flush::asked);
    asked_ = false;
    ask();
  }
  if (!sentence.empty()) hooks_.incomplete(*this, sentence);
}

void Upload::fill_gap() {
  if (size_ <= accepted_) return;
  queue_.push_back({.offset = accepted_, .zeros = size_ - accepted_, .bytes = {}, .pending = {}});
  accepted_ = size_;
}

bool Upload::pass(std::uint64_t& zeros, std::span<const std::byte> bytes) {
  if (zeros != 0) {
    if (!pipe_->write_zeros(zeros)) return false;
    zeros = 0;
  }
  return bytes.empty() || pipe_->write(bytes);
}

void Upload::advance(Answers& answers) {
  while (!queue_.empty()) {
    Piece& piece = queue_.front();
    const std::uint64_t zeros = piece.zeros;
    const bool passed = pass(piece.zeros, piece.bytes);
    piece.offset += zeros - piece.zeros;
    if (!passed) return;
    answers.add(std::move(piece.pending), 0);
    queue_.pop_front();
  }
  ask();
}

void Upload::ask() {
  const bool wanted = ending_ ? !asked_end_ : !asked_ && !flushes_.empty();
  if (!wanted || !queue_.empty()) return;
  asked_ = true;
  asked_end_ = ending_;
  for (Flush& waiting : flushes_) waiting.asked = true;
  pipe_->flush(ending_, [this] { on_incomplete(); });
}

}  // namespace imagefs::fs
