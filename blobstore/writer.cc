#include "blobstore/writer.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <optional>
#include <utility>

#include "blobstore/error.h"
#include "blobstore/files.h"
#include "blobstore/hash_thread.h"
#include "blobstore/writer_state.h"

namespace imagefs::blobstore {
namespace {

// Below this waking the thread costs more than it saves.
constexpr std::size_t kOverlap = 256 << 10;
// How much may wait for the disk before it is sent on its way, so that the last sync is short.
constexpr std::uint64_t kFlushStep = 8 << 20;

}  // namespace

std::string HeldBlob::read_all(std::uint64_t limit) const {
  return blobstore::read_all(fd.get(), limit, "the blob " + digest.str());
}

Writer::State::State(TemporaryFile temporary, int blobs)
    : file(std::move(temporary)), name_directory(file.name.empty() ? -1 : ::dup(blobs)) {}

Writer::State::~State() {
  if (!file.name.empty() && file.fd) ::unlinkat(name_directory.get(), file.name.c_str(), 0);
}

void Writer::State::hash_and_write(std::span<const std::byte> bytes) {
  if (!thread) thread.emplace(hash);
  thread->start(bytes);
  try {
    write_all(file.fd.get(), bytes, size);
  } catch (...) {
    thread->wait();
    throw;
  }
  thread->wait();
}

void Writer::State::start_flush() {
  if (size - flushed < kFlushStep) return;
  // Only a hint: where it does not work, finish() waits longer.
  (void)::sync_file_range(file.fd.get(), static_cast<off_t>(flushed),
                          static_cast<off_t>(size - flushed), SYNC_FILE_RANGE_WRITE);
  flushed = size;
}

Writer::Writer(std::unique_ptr<State> state) : state_(std::move(state)) {}
Writer::Writer(Writer&&) noexcept = default;
Writer& Writer::operator=(Writer&&) noexcept = default;
Writer::~Writer() = default;

void Writer::append(std::span<const std::byte> bytes) {
  State& state = *state_;
  if (bytes.size() >= kOverlap) {
    state.hash_and_write(bytes);
  } else {
    write_all(state.file.fd.get(), bytes, state.size);
    state.hash.update(bytes);
  }
  state.size += bytes.size();
  state.start_flush();
}

HeldBlob Writer::finish() {
  const std::unique_ptr<State> state = std::move(state_);
  state->thread.reset();
  const int fd = state->file.fd.get();
  if (::fchmod(fd, 0444) != 0 || ::fdatasync(fd) != 0) throw_errno("cannot write to the store");
  return {state->hash.finish(), state->size, std::move(state->file.fd)};
}

std::uint64_t Writer::size() const noexcept { return state_ ? state_->size : 0; }

}  // namespace imagefs::blobstore
