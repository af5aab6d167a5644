#include "fs/ingest_file.h"

#include <cerrno>
#include <utility>

#include "blobstore/error.h"

namespace imagefs::fs {
namespace {

constexpr mode_t kPermissions = 07777;
constexpr blksize_t kBlockSize = 1 << 20;  // what cp then writes at once
constexpr std::chrono::milliseconds kReleaseDelay{100};
constexpr std::uint64_t kStatBlock = 512;  // st_blocks counts these

timespec now() {
  timespec time{};
  ::clock_gettime(CLOCK_REALTIME, &time);
  return time;
}

class ConsumedArchive final : public Content {
 public:
  explicit ConsumedArchive(std::uint64_t size) : size_(size) {}
  std::size_t read(std::span<std::byte>, std::uint64_t) const override {
    throw Error(EPERM, "an archive in ingest/ is consumed as it is written");
  }
  std::uint64_t size() const override { return size_; }

 private:
  std::uint64_t size_;
};

}  // namespace

IngestFile::IngestFile(NodeId id, std::string name, const Caller& owner, mode_t mode)
    : id_(id),
      name_(std::move(name)),
      uid_(owner.uid),
      gid_(owner.gid),
      mode_(mode & kPermissions),
      accessed_(now()),
      modified_(accessed_),
      changed_(accessed_) {}

struct stat IngestFile::attributes() const {
  const std::lock_guard lock(mutex_);
  const std::uint64_t size = upload_ ? upload_->size() : 0;
  struct stat result{};
  result.st_ino = id_;
  result.st_mode = S_IFREG | mode_;
  result.st_nlink = 1;
  result.st_uid = uid_;
  result.st_gid = gid_;
  result.st_size = static_cast<off_t>(size);
  result.st_blocks = static_cast<blkcnt_t>((size + kStatBlock - 1) / kStatBlock);
  result.st_blksize = kBlockSize;
  result.st_atim = accessed_;
  result.st_mtim = modified_;
  result.st_ctim = changed_;
  return result;
}

ContentPtr IngestFile::open() const {
  const UploadPtr current = upload();
  return std::make_shared<ConsumedArchive>(current ? current->size() : 0);
}

void IngestFile::check_access(const Caller& caller, uid_t daemon) const {
  const std::lock_guard lock(mutex_);
  if (caller.uid == 0 || caller.uid == uid_ || caller.uid == daemon) return;
  throw Error(EACCES, name_ + " belongs to another user");
}

void IngestFile::change_mode(mode_t mode) {
  const std::lock_guard lock(mutex_);
  mode_ = mode & kPermissions;
  changed_ = now();
}

void IngestFile::change_owner(std::optional<uid_t> uid, std::optional<gid_t> gid) {
  const std::lock_guard lock(mutex_);
  uid_ = uid.value_or(uid_);
  gid_ = gid.value_or(gid_);
  changed_ = now();
}

void IngestFile::change_times(std::optional<timespec> accessed, std::optional<timespec> modified) {
  const std::lock_guard lock(mutex_);
  accessed_ = accessed.value_or(accessed_);
  modified_ = modified.value_or(modified_);
  changed_ = now();
}

bool IngestFile::is_open() const {
  return writer_ != 0 && upload_->closing() != Upload::Closing::closed;
}

void IngestFile::check_there() const {
  if (removed_) throw Error(ESTALE, name_ + " was removed");
}

IngestFile::Attached IngestFile::attach(UploadPtr fresh, bool truncate) {
  std::unique_lock lock(mutex_);
  if (writer_ != 0 && upload_->closing() == Upload::Closing::maybe) {
    detached_.wait_for(lock, kReleaseDelay, [this] { return writer_ == 0; });
  }
  check_there();
  if (is_open()) throw Error(EBUSY, name_ + " is being written by another process");
  writer_ = ++last_writer_;
  ended_.reset();
  modified_ = changed_ = now();
  UploadPtr before = std::exchange(upload_, std::move(fresh));
  if (before && before->is_settled() && !truncate) earlier_ = std::move(before);
  return {writer_, std::move(before)};
}

UploadPtr IngestFile::replace(UploadPtr fresh) {
  const std::lock_guard lock(mutex_);
  check_there();
  ended_.reset();
  return std::exchange(upload_, std::move(fresh));
}

UploadPtr IngestFile::take_earlier() {
  const std::lock_guard lock(mutex_);
  return std::move(earlier_);
}

UploadPtr IngestFile::upload(Writer writer) const {
  const std::lock_guard lock(mutex_);
  if (writer == writer_) return upload_;
  throw Error(ESTALE, name_ + " was opened again by another writer");
}

UploadPtr IngestFile::detach(Writer writer) {
  const std::lock_guard lock(mutex_);
  if (writer != writer_) return {};
  writer_ = 0;
  detached_.notify_all();
  UploadPtr mine = upload_;
  if (earlier_ && mine->size() == 0) upload_ = std::move(earlier_);
  return mine;
}

UploadPtr IngestFile::upload() const {
  const std::lock_guard lock(mutex_);
  return upload_;
}

UploadPtr IngestFile::written() const {
  const std::lock_guard lock(mutex_);
  const bool empty = upload_ && upload_->size() == 0;
  return empty ? earlier_ : upload_;
}

std::string IngestFile::name() const {
  const std::lock_guard lock(mutex_);
  return name_;
}

void IngestFile::rename(std::string name) {
  const std::lock_guard lock(mutex_);
  name_ = std::move(name);
  changed_ = now();
}

std::unique_lock<std::mutex> IngestFile::hold_name() { return std::unique_lock(naming_); }

uid_t IngestFile::owner() const {
  const std::lock_guard lock(mutex_);
  return uid_;
}

bool IngestFile::is_arriving() const {
  const std::lock_guard lock(mutex_);
  return upload_ && !upload_->is_settled();
}

bool IngestFile::takes_part() const {
  const std::lock_guard lock(mutex_);
  return upload_ && !upload_->is_settled() && upload_->closing() != Upload::Closing::closed;
}

bool IngestFile::is_kept() const {
  const std::lock_guard lock(mutex_);
  return (upload_ && upload_->is_kept()) || (earlier_ && earlier_->is_kept());
}

bool IngestFile::has_writer() const {
  const std::lock_guard lock(mutex_);
  return is_open();
}

void IngestFile::end() {
  const std::lock_guard lock(mutex_);
  ended_ = Clock::now();
}

void IngestFile::remove() {
  const std::lock_guard lock(mutex_);
  removed_ = true;
}

bool IngestFile::expire(Clock::time_point oldest) {
  const std::unique_lock naming(naming_, std::try_to_lock);
  if (!naming) return false;
  const std::lock_guard lock(mutex_);
  if (ended_ && *ended_ <= oldest && !is_open()) removed_ = true;
  return removed_;
}

}  // namespace imagefs::fs
