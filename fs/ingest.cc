#include "fs/ingest.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "blobstore/error.h"
#include "fs/ingest_directory.h"

namespace imagefs::fs {
namespace {

constexpr std::size_t kNameMax = 255 - Refusals::kSuffix.size();
// A copy that was cut off makes way for the next at its close, before the kernel tells its end, and
// a good one that waits for its name is no work. But a writer can keep either as it is, by a second
// descriptor, or by not renaming: so there is a limit to them too. Ordinary copies, which end one
// after the other, stay far below twice what may arrive.
constexpr std::size_t kKeptPerImport = 2;
constexpr std::size_t kPipe = 2 << 20;  // bytes that may wait for one import
// How soon a request is let go of whose caller is being killed.
constexpr std::chrono::milliseconds kArrivingPeriod{100};
constexpr std::chrono::milliseconds kPeriod{1000};

constexpr const char* kNewCopy = "a new copy has begun";

bool is_temporary(std::string_view name) { return name.starts_with('.'); }

void cancel(const UploadPtr& upload, const char* sentence) {
  if (upload) upload->cancel(ECANCELED, sentence);
}

// Nothing comes of what was written to it, and nothing new can be.
void remove(IngestFile& file, const char* sentence) {
  file.remove();
  cancel(file.take_earlier(), sentence);
  cancel(file.upload(), sentence);
}

}  // namespace

Ingest::Ingest(Options options, Hooks hooks)
    : options_(options),
      hooks_(std::move(hooks)),
      directory_(std::make_shared<Directory>(*this)),
      refusals_([this] { return new_id(); }),
      last_id_(kFirstId) {
  touch();
  watcher_ = std::thread([this] { watch(); });
}

Ingest::~Ingest() { stop(); }

NodeId Ingest::new_id() { return ++last_id_; }

NodePtr Ingest::lookup(std::string_view name) const {
  if (const IngestFilePtr file = find(name)) return file;
  const auto refusal = refusals_.find(name);
  return refusal ? refusal->node : nullptr;
}

IngestFilePtr Ingest::find(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  const auto found = names_.find(name);
  return found == names_.end() ? nullptr : found->second;
}

IngestFilePtr Ingest::file(NodeId id) const {
  const std::lock_guard lock(mutex_);
  const auto found = ids_.find(id);
  return found == ids_.end() ? nullptr : found->second.lock();
}

std::vector<IngestFilePtr> Ingest::files() const {
  const std::lock_guard lock(mutex_);
  std::vector<IngestFilePtr> result;
  for (const auto& [name, file] : names_) result.push_back(file);
  return result;
}

// Those too that were removed while a writer has them open.
std::vector<IngestFilePtr> Ingest::known_files() const {
  const std::lock_guard lock(mutex_);
  std::vector<IngestFilePtr> result;
  for (const auto& [id, weak] : ids_) {
    if (IngestFilePtr file = weak.lock()) result.push_back(std::move(file));
  }
  return result;
}

std::pair<IngestFilePtr, bool> Ingest::find_or_make(std::string_view name, mode_t mode,
                                                    const Caller& caller) {
  const auto made = std::make_shared<IngestFile>(new_id(), std::string(name), caller, mode);
  const std::lock_guard lock(mutex_);
  const auto [at, inserted] = names_.try_emplace(std::string(name), made);
  if (inserted) ids_.try_emplace(made->id(), made);
  return {at->second, inserted};
}

Ingest::Opened Ingest::create(std::string_view name, mode_t mode, int flags, const Caller& caller) {
  if (name.size() > kNameMax) throw Error(ENAMETOOLONG, "the name is too long");
  const auto [file, fresh] = find_or_make(name, mode, caller);
  if (!fresh && (flags & O_EXCL) != 0) throw Error(EEXIST, std::string(name) + " exists");
  try {
    return open(file, flags, caller);
  } catch (...) {
    if (fresh && !file->upload()) remove_name(file);
    throw;
  }
}

Ingest::Opened Ingest::open(const IngestFilePtr& file, int flags, const Caller& caller) {
  file->check_access(caller, options_.uid);
  check_room({file->name(), caller.uid, false});
  const auto [writer, before] = file->attach(make_upload(file), (flags & O_TRUNC) != 0);
  cancel(before, kNewCopy);
  touch();
  return {file, writer};
}

void Ingest::check_access(const IngestFile& file, const Caller& caller) const {
  file.check_access(caller, options_.uid);
}

void Ingest::check_room(const Arrival& arrival) {
  {
    const std::lock_guard lock(mutex_);
    if (stopped_) throw Error(ESHUTDOWN, "the mount is going away");
  }
  auto counted = files();
  check_count(counted, options_.max_imports, arrival, "max_imports");
  if (arrival.user == 0 || arrival.user == options_.uid) return;
  std::erase_if(counted, [&](const auto& file) { return file->owner() != arrival.user; });
  check_count(counted, std::max<std::size_t>(options_.max_imports / 2, 1), arrival,
              "one user's half of max_imports");
}

void Ingest::check_count(const std::vector<IngestFilePtr>& files, std::size_t most,
                         const Arrival& arrival, const char* limit) const {
  const auto arriving = std::ranges::count_if(files, &IngestFile::takes_part);
  const auto kept = std::ranges::count_if(files, &IngestFile::is_kept);
  if (std::cmp_less(arriving, most) && std::cmp_less(kept, kKeptPerImport * most)) return;
  const Error refused(EAGAIN,
                      std::to_string(kept) + " archives arrive, or wait for their names: " + limit);
  hooks_.refuse(arrival, refused);
  throw Error(refused);
}

UploadPtr Ingest::make_upload(const IngestFilePtr& file) {
  const std::weak_ptr<IngestFile> weak = file;
  return std::make_shared<Upload>(
      kPipe, Upload::Hooks{
                 .start = [this](std::function<void()> work) { threads_.start(std::move(work)); },
                 .import =
                     [this, weak](importer::BytePipe& pipe) {
                       const auto known = weak.lock();
                       return known ? import(known, pipe) : Verdict{.errno_value = ECANCELED};
                     },
                 .incomplete =
                     [this, weak](const Upload& upload, const std::string& sentence) {
                       if (const auto known = weak.lock()) incomplete(known, upload, sentence);
                     },
                 .settled =
                     [this, weak](const Upload& upload, const Verdict& verdict) {
                       if (const auto known = weak.lock()) settled(known, upload, verdict);
                     }});
}

// The first bytes have come: what was there before makes way, and the name is what it is now.
Verdict Ingest::import(const IngestFilePtr& file, importer::BytePipe& pipe) {
  std::string name;
  {
    const auto held = file->hold_name();
    name = file->name();
  }
  cancel(file->take_earlier(), kNewCopy);
  return hooks_.import({name, file->owner(), is_temporary(name)}, pipe);
}

bool Ingest::is_current(const IngestFilePtr& file, const Upload& upload) const {
  return file->upload().get() == &upload && find(file->name()) == file;
}

void Ingest::incomplete(const IngestFilePtr& file, const Upload& upload,
                        const std::string& sentence) {
  if (!is_current(file, upload)) return;
  const auto attributes = file->attributes();
  refusals_.add(file->name(), sentence, {attributes.st_uid, attributes.st_gid});
  touch();
}

void Ingest::settled(const IngestFilePtr& file, const Upload& upload, const Verdict& verdict) {
  if (!is_current(file, upload)) return;
  file->end();
  if (verdict.errno_value == 0) {
    refusals_.remove(file->name());
  } else {
    const auto attributes = file->attributes();
    refusals_.add(file->name(), verdict.sentence, {attributes.st_uid, attributes.st_gid});
  }
  touch();
}

void Ingest::release(const Opened& opened) {
  const UploadPtr upload = opened.file->detach(opened.writer);
  if (!upload) return;
  upload->release();
  if (upload->is_settled()) opened.file->end();
  touch();
}

void Ingest::truncate(const IngestFilePtr& file, std::uint64_t size, const Caller& caller) {
  file->check_access(caller, options_.uid);
  const UploadPtr upload = file->upload();
  if (!upload) return;
  if (size != 0) return upload->extend(size);
  cancel(file->take_earlier(), kNewCopy);
  if (upload->size() == 0) return;
  const UploadPtr fresh = make_upload(file);
  cancel(file->replace(fresh), kNewCopy);
  if (!file->has_writer()) {  // nobody will release it
    fresh->release();
    file->end();
  }
  touch();
}

void Ingest::unlink(std::string_view name, const Caller& caller) {
  if (const IngestFilePtr file = find(name)) {
    file->check_access(caller, options_.uid);
    remove_name(file);
    return touch();
  }
  const auto refusal = refusals_.find(name);
  if (!refusal) throw Error(ENOENT, "no such name");
  if (caller.uid != 0 && caller.uid != options_.uid && caller.uid != refusal->owner) {
    throw Error(EACCES, refusal->name + " is another user's");
  }
  refusals_.remove(name.substr(0, name.size() - Refusals::kSuffix.size()));
  touch();
}

void Ingest::forget_name(const IngestFilePtr& file) {
  const auto known = names_.find(file->name());
  if (known != names_.end() && known->second == file) names_.erase(known);
}

void Ingest::remove_name(const IngestFilePtr& file) {
  {
    const std::lock_guard lock(mutex_);
    forget_name(file);
  }
  remove(*file, "it was removed");
}

void Ingest::rename(std::string_view from, std::string_view to, bool keep, const Caller& caller) {
  if (to.size() > kNameMax) throw Error(ENAMETOOLONG, "the name is too long");
  const IngestFilePtr file = find(from);
  const IngestFilePtr target = find(to);
  if (!file) throw Error(lookup(from) ? EPERM : ENOENT, "no archive of that name");
  file->check_access(caller, options_.uid);
  check_target(file, to, keep, caller);
  const auto held = file->hold_name();
  if (find(from) != file) throw Error(ENOENT, "it has just been removed");
  if (is_temporary(file->name()) && !is_temporary(to)) publish(*file, std::string(to));
  {
    const std::lock_guard lock(mutex_);
    forget_name(file);
    names_.insert_or_assign(std::string(to), file);
    file->rename(std::string(to));
  }
  if (target && target != file) remove(*target, "another took its name");
  touch();
}

void Ingest::check_target(const IngestFilePtr& file, std::string_view to, bool keep,
                          const Caller& caller) const {
  const IngestFilePtr target = find(to);
  if (!target || target == file) return;
  if (keep) throw Error(EEXIST, "the new name is taken");
  check_access(*target, caller);
  if (target->has_writer()) throw Error(EBUSY, "the new name is being written");
}

void Ingest::publish(const IngestFile& file, const std::string& name) {
  const UploadPtr upload = file.written();
  if (!upload) return;
  if (!upload->is_settled()) throw Error(EBUSY, file.name() + " is being written");
  const Verdict verdict = upload->publish(name);
  if (verdict.errno_value == 0) {
    refusals_.remove(name);
    return;
  }
  const auto attributes = file.attributes();
  refusals_.add(name, verdict.sentence, {attributes.st_uid, attributes.st_gid});
  throw Error(verdict.errno_value, verdict.sentence);
}

void Ingest::touch() {
  const std::lock_guard lock(mutex_);
  ::clock_gettime(CLOCK_REALTIME, &modified_);
  changed_.notify_all();
}

void Ingest::stop() {
  {
    const std::lock_guard lock(mutex_);
    if (stopped_) return;
    stopped_ = true;
    changed_.notify_all();
  }
  watcher_.join();
  for (const IngestFilePtr& file : known_files()) remove(*file, "the mount is going away");
  threads_.join();
}

void Ingest::watch() {
  std::unique_lock lock(mutex_);
  while (!stopped_) {
    changed_.wait(lock, [this] { return stopped_ || !names_.empty(); });
    lock.unlock();
    const auto all = files();
    look_after(all);
    forget_ended();
    const bool arriving = std::ranges::any_of(all, &IngestFile::is_arriving);
    lock.lock();
    changed_.wait_for(lock, arriving ? kArrivingPeriod : kPeriod, [this] { return stopped_; });
  }
}

void Ingest::look_after(const std::vector<IngestFilePtr>& files) {
  const auto idle_since = Upload::Clock::now() - options_.idle_timeout;
  for (const IngestFilePtr& file : files) {
    const UploadPtr upload = file->upload();
    if (!upload || upload->is_settled()) continue;
    upload->drop_abandoned();
    if (options_.idle_timeout.count() != 0 && upload->last_write() < idle_since) {
      upload->cancel(ETIMEDOUT, "nothing was written for " +
                                    std::to_string(options_.idle_timeout.count()) + " seconds");
    }
  }
}

void Ingest::forget_ended() {
  const auto oldest = IngestFile::Clock::now() - options_.grace;
  std::vector<IngestFilePtr> gone;
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(names_, [&](const auto& entry) {
      const bool goes = entry.second->expire(oldest);
      if (goes) gone.push_back(entry.second);
      return goes;
    });
    std::erase_if(ids_, [](const auto& entry) { return entry.second.expired(); });
  }
  for (const IngestFilePtr& file : gone) remove(*file, "it was not renamed");
}

}  // namespace imagefs::fs
