#include "blobstore/store.h"

#include <cerrno>
#include <thread>
#include <utility>

#include "blobstore/blob_files.h"
#include "blobstore/error.h"
#include "blobstore/files.h"
#include "blobstore/intent.h"
#include "blobstore/marking.h"
#include "blobstore/store_state.h"
#include "blobstore/temporary_file.h"
#include "blobstore/transaction.h"
#include "blobstore/writer_state.h"

namespace imagefs::blobstore {
namespace {

void clean_up(const Directory& directory) {
  sweep_named_files(directory.blobs.get());
  if (!is_unsettled(directory)) return;
  const StoreLock lock(directory.root.get());
  settle_intent(directory);
}

bool is_readable(const std::string& index) {
  try {
    static_cast<void>(Index(index));
    return index.size() <= kMaxIndexFile;
  } catch (const Error&) {
    return false;
  }
}

// What cannot be read again is lost, with all the images that stand in it.
void require_readable(const std::string& index) {
  constexpr std::size_t kSmall = 4 << 20;  // bytes: too few for what Index takes to be too many
  if (index.size() <= kSmall || is_readable(index)) return;
  throw Error(EFBIG, "the store's index.json would have more entries than can be read");
}

// The result: whether who goes by the index before it is misled.
bool commit_locked(const Directory& directory, const std::vector<const HeldBlob*>& blobs,
                   const std::function<void(Index&)>& edit) {
  const StoreLock lock(directory.root.get());
  settle_intent(directory);  // another process may have crashed since the store was opened
  Index index = blobstore::read_index(directory);
  const std::string before = index.bytes();
  const Missing missing = missing_blobs(directory, blobs);
  edit(index);
  const std::string after = index.bytes();
  if (after.size() > before.size()) require_readable(after);

  Transaction transaction(directory);
  transaction.add_blobs(missing);
  if (after != before) {
    transaction.replace_index(after);
  } else {
    transaction.keep_index();
  }
  transaction.finish();
  return index.misleads();
}

}  // namespace

Store::Store(std::unique_ptr<State> state) : state_(std::move(state)) {}
Store::~Store() = default;

std::shared_ptr<Store> Store::open(const std::filesystem::path& directory, Access access) {
  auto state = std::make_unique<State>(directory, access);
  if (access != Access::read_only) clean_up(state->directory);
  // The constructor is private, which make_shared cannot call.
  return std::shared_ptr<Store>(new Store(std::move(state)));
}

const std::filesystem::path& Store::path() const noexcept { return state_->directory.path; }
bool Store::read_only() const noexcept { return state_->directory.read_only; }
int Store::directory_fd() const noexcept { return state_->directory.root.get(); }

Index Store::read_index() const { return blobstore::read_index(state_->directory); }

std::string Store::index_bytes() const {
  auto bytes = read_index_file(state_->directory);
  return bytes ? *std::move(bytes) : Index().bytes();
}

std::optional<UniqueFd> Store::open_blob(const Digest& digest) const {
  return blobstore::open_blob(state_->directory, digest);
}

std::optional<HeldBlob> Store::hold(const Digest& digest) const {
  const Directory& directory = state_->directory;
  if (directory.marks.contains(directory.root.get(), digest)) return std::nullopt;
  auto fd = blobstore::open_blob(directory, digest);
  if (!fd) return std::nullopt;
  const auto size = static_cast<std::uint64_t>(status_of(fd->get(), digest.str()).st_size);
  return HeldBlob{digest, size, *std::move(fd)};
}

std::optional<std::string> Store::read_blob(const Digest& digest, std::uint64_t limit) const {
  return blobstore::read_blob(state_->directory, digest, limit);
}

std::vector<Digest> Store::blobs() const { return list_blobs(state_->directory); }

Writer Store::write_blob() {
  const Directory& directory = state_->directory;
  directory.require_writable();
  return Writer(
      std::make_unique<Writer::State>(make_temporary_file(directory), directory.blobs.get()));
}

void Store::commit(const std::vector<const HeldBlob*>& blobs,
                   const std::function<void(Index&)>& edit) {
  state_->directory.require_writable();
  const bool misleads = commit_locked(state_->directory, blobs, edit);
  // As long again for readers that have little time.
  if (misleads) std::this_thread::sleep_for(2 * kReaderLease);
}

std::vector<Descriptor> Store::referenced(const Descriptor& image) const {
  return blobstore::referenced(state_->directory, image);
}

std::vector<Descriptor> Store::needed(const Descriptor& image) const {
  return blobstore::needed(state_->directory, image);
}

}  // namespace imagefs::blobstore
