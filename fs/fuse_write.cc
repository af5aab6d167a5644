// The operations that open and write: ingest/ takes archives, everything else is read-only.
#include <fcntl.h>
#include <linux/falloc.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <optional>
#include <string_view>

#include "blobstore/error.h"
#include "fs/fuse_guard.h"
#include "fs/fuse_later.h"
#include "fs/fuse_mount.h"
#include "fs/fuse_passthrough.h"

namespace imagefs::fs {
namespace {

// Bytes: a file whose READs take longer than what the kernel asks more of it: to be given the file,
// and after each read for the attributes (it has changed the time of access).
constexpr std::uint64_t kLeastBacking = 1 << 20;

bool wants_write(const fuse_file_info& file) {
  return (file.flags & O_ACCMODE) != O_RDONLY || (file.flags & O_TRUNC) != 0;
}

// Throws Error{EROFS}, or Error{ESTALE} for an id that is nobody's.
[[noreturn]] void refuse(const Mount& mount, fuse_ino_t id) {
  (void)mount.nodes.get(id);
  throw Error(EROFS, "only archives can be made, in ingest/");
}

// The file of ingest/ with this id. Throws what refuse() does when it is another's.
IngestFilePtr ingest_file(const Mount& mount, fuse_ino_t id) {
  IngestFilePtr file = mount.ingest != nullptr ? mount.ingest->file(id) : nullptr;
  if (!file) refuse(mount, id);
  return file;
}

// ingest/ when names of the directory `parent` are names there; the root's are too, but for its
// own.
Ingest& ingest_at(const Mount& mount, fuse_ino_t parent, std::string_view name) {
  if (mount.ingest != nullptr) {
    if (parent == mount.ingest->directory()->id()) return *mount.ingest;
    if (parent == mount.root->id() && !mount.root->is_taken(name)) return *mount.ingest;
  }
  refuse(mount, parent);
}

Handle writer_handle(const Ingest::Opened& opened, const Caller& caller) {
  return {.content = opened.file->open(), .opened = opened, .opener = thread_group(caller.pid)};
}

// Who opens a file with O_DIRECT wants it to be read anew, in pieces that need not be aligned.
std::optional<int> file_for_kernel(const Content& content, int flags) {
  const bool by_requests = (flags & O_DIRECT) != 0 || content.size() < kLeastBacking;
  return by_requests ? std::nullopt : content.file();
}

Handle reader_handle(Mount& mount, const Node& node, fuse_file_info& file) {
  Handle handle{.content = node.open()};
  set_open_flags(file, node);
  if (!handle.content->file()) return handle;
  handle.backing = mount.backing.open(node.id(), file_for_kernel(*handle.content, file.flags));
  if (handle.backing.id() != 0) set_backing(file, handle.backing.id());
  return handle;
}

void set_writer_flags(fuse_file_info& file) {
  file.direct_io = 1;
  file.keep_cache = 0;
  file.noflush = 0;
}

// The kernel did not take the answer to an open: undo it.
void close_unanswered(Mount& mount, std::uint64_t number) {
  const HandlePtr handle = mount.handles.take(number);
  if (handle->opened.file) mount.ingest->release(handle->opened);
}

// Of a read-only mount the kernel hears once that nothing needs to be opened, and once that nothing
// needs to be flushed: a small file that was read before is then read without a request.
void open(Mount& mount, Request& request, fuse_ino_t id, fuse_file_info* file) {
  if (mount.read_only) return request.error(ENOSYS);
  const NodePtr node = mount.nodes.get(id);
  Handle handle;
  if (wants_write(*file)) {
    const Caller caller = request.caller();
    handle = writer_handle(mount.ingest->open(ingest_file(mount, id), file->flags, caller), caller);
    set_writer_flags(*file);
  } else {
    handle = reader_handle(mount, *node, *file);
  }
  file->fh = mount.handles.add(std::move(handle));
  if (!request.opened(*file)) close_unanswered(mount, file->fh);
}

void create(Mount& mount, Request& request, fuse_ino_t parent, const char* name, mode_t mode,
            fuse_file_info* file) {
  const Caller caller = request.caller();
  Ingest& ingest = ingest_at(mount, parent, name);
  const NodePtr directory = mount.nodes.get(parent);
  const Ingest::Opened opened = ingest.create(name, mode, file->flags, caller);
  file->fh = mount.handles.add(writer_handle(opened, caller));
  set_writer_flags(*file);
  mount.nodes.remember(opened.file);
  if (request.created(make_entry(*directory, *opened.file, Lease::none()), *file)) return;
  mount.nodes.forget(opened.file->id(), 1);
  close_unanswered(mount, file->fh);
}

void write(Mount& mount, Request& request, fuse_ino_t /*id*/, const char* data, std::size_t size,
           off_t offset, fuse_file_info* file) {
  const HandlePtr handle = mount.handles.get(file->fh);
  if (!handle->opened.file) throw Error(EBADF, "not open for writing");
  const UploadPtr upload = handle->opened.file->upload(handle->opened.writer);
  upload->write(std::as_bytes(std::span(data, size)), static_cast<std::uint64_t>(offset),
                pending_write(std::move(request), size));
}

void flush(Mount& mount, Request& request, fuse_ino_t /*id*/, fuse_file_info* file) {
  if (mount.read_only) return request.error(ENOSYS);
  const HandlePtr handle = mount.handles.get(file->fh);
  if (!handle->opened.file) return request.done();
  const UploadPtr upload = handle->opened.file->upload(handle->opened.writer);
  const bool by_opener = thread_group(request.caller().pid) == handle->opener;
  upload->flush(by_opener, pending(std::move(request)));
}

// Nothing to wait for before the flush: an archive that is not complete is on no disk. But what has
// failed is said: some writers look at no later answer.
void fsync(Mount& mount, Request& request, fuse_ino_t /*id*/, int /*data_only*/,
           fuse_file_info* file) {
  if (mount.read_only) return request.error(ENOSYS);
  const HandlePtr handle = mount.handles.get(file->fh);
  if (handle->opened.file) {
    const auto verdict = handle->opened.file->upload(handle->opened.writer)->verdict();
    if (verdict && verdict->errno_value != 0) return request.error(verdict->errno_value);
  }
  request.done();
}

void release(Mount& mount, Request& request, fuse_ino_t /*id*/, fuse_file_info* file) {
  const HandlePtr handle = mount.handles.take(file->fh);
  if (handle->opened.file) mount.ingest->release(handle->opened);
  request.done();
}

void fallocate(Mount& mount, Request& request, fuse_ino_t id, int mode, off_t offset, off_t length,
               fuse_file_info* /*file*/) {
  const IngestFilePtr file = ingest_file(mount, id);
  const auto size = static_cast<std::uint64_t>(file->attributes().st_size);
  const auto begin = static_cast<std::uint64_t>(offset);
  const std::uint64_t end = begin + static_cast<std::uint64_t>(length);
  if ((mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE)) != 0) {
    throw Error(EOPNOTSUPP, "fallocate");
  }
  if ((mode & FALLOC_FL_PUNCH_HOLE) != 0 && begin < size) {
    throw Error(EINVAL, "what has been read cannot be written again");
  }
  if (mode == 0 && end > size) mount.ingest->truncate(file, end, request.caller());
  request.done();
}

std::optional<timespec> new_time(int set, int given, int now, const timespec& time) {
  if ((set & now) != 0) {
    timespec current{};
    ::clock_gettime(CLOCK_REALTIME, &current);
    return current;
  }
  return (set & given) != 0 ? std::optional(time) : std::nullopt;
}

void change_owner(IngestFile& file, const struct stat& wanted, int set, const Caller& caller) {
  const bool user = (set & FUSE_SET_ATTR_UID) != 0;
  const bool group = (set & FUSE_SET_ATTR_GID) != 0;
  if (!user && !group) return;
  if (caller.uid != 0 && user && wanted.st_uid != file.owner()) {
    throw Error(EPERM, "only root gives a file away");
  }
  file.change_owner(user ? std::optional(wanted.st_uid) : std::nullopt,
                    group ? std::optional(wanted.st_gid) : std::nullopt);
}

void setattr(Mount& mount, Request& request, fuse_ino_t id, struct stat* wanted, int set,
             fuse_file_info* /*file*/) {
  const Caller caller = request.caller();
  const IngestFilePtr file = ingest_file(mount, id);
  mount.ingest->check_access(*file, caller);
  change_owner(*file, *wanted, set, caller);
  if ((set & FUSE_SET_ATTR_MODE) != 0) file->change_mode(wanted->st_mode);
  if ((set & FUSE_SET_ATTR_SIZE) != 0) {
    mount.ingest->truncate(file, static_cast<std::uint64_t>(wanted->st_size), caller);
  }
  file->change_times(new_time(set, FUSE_SET_ATTR_ATIME, FUSE_SET_ATTR_ATIME_NOW, wanted->st_atim),
                     new_time(set, FUSE_SET_ATTR_MTIME, FUSE_SET_ATTR_MTIME_NOW, wanted->st_mtim));
  const double timeout = attribute_timeout(*file, Lease::none());
  request.attributes(file->attributes(), timeout);
}

void unlink(Mount& mount, Request& request, fuse_ino_t parent, const char* name) {
  ingest_at(mount, parent, name).unlink(name, request.caller());
  request.done();
}

// It may publish an archive, and then waits for the store's lock and disk.
void rename(Mount& mount, Request& request, fuse_ino_t parent, const char* name,
            fuse_ino_t new_parent, const char* new_name, unsigned int flags) {
  if ((flags & ~static_cast<unsigned int>(RENAME_NOREPLACE)) != 0) {
    throw Error(EINVAL, "names of ingest/ cannot be exchanged");
  }
  Ingest& ingest = ingest_at(mount, parent, name);
  (void)ingest_at(mount, new_parent, new_name);
  const bool keep = (flags & RENAME_NOREPLACE) != 0;
  answer_later(mount.publishing, request,
               [&ingest, from = std::string(name), to = std::string(new_name), keep](
                   Request& waiting, const Patience& /*it is not given up half-way*/) {
                 ingest.rename(from, to, keep, waiting.caller());
                 waiting.done();
               });
}

void setxattr(Mount& mount, Request& /*request*/, fuse_ino_t id, const char* /*name*/,
              const char* /*value*/, std::size_t /*size*/, int /*flags*/) {
  (void)ingest_file(mount, id);
  throw Error(EOPNOTSUPP, "an arriving archive keeps no extended attributes");
}

void removexattr(Mount& mount, Request& /*request*/, fuse_ino_t id, const char* /*name*/) {
  (void)ingest_file(mount, id);
  throw Error(ENODATA, "no such attribute");
}

void mknod(Mount& mount, Request& /*request*/, fuse_ino_t parent, const char* /*name*/,
           mode_t /*mode*/, dev_t /*device*/) {
  refuse(mount, parent);
}

void mkdir(Mount& mount, Request& /*request*/, fuse_ino_t parent, const char* /*name*/,
           mode_t /*mode*/) {
  refuse(mount, parent);
}

void rmdir(Mount& mount, Request& /*request*/, fuse_ino_t parent, const char* /*name*/) {
  refuse(mount, parent);
}

void symlink(Mount& mount, Request& /*request*/, const char* /*target*/, fuse_ino_t parent,
             const char* /*name*/) {
  refuse(mount, parent);
}

void link(Mount& mount, Request& /*request*/, fuse_ino_t /*id*/, fuse_ino_t parent,
          const char* /*name*/) {
  refuse(mount, parent);
}

}  // namespace

void add_write_operations(fuse_lowlevel_ops& operations) {
  operations.open = kGuarded<open>;
  operations.create = kGuarded<create>;
  operations.write = kGuarded<write>;
  operations.flush = kGuarded<flush>;
  operations.fsync = kGuarded<fsync>;
  operations.release = kGuarded<release>;
  operations.fallocate = kGuarded<fallocate>;
  operations.setattr = kGuarded<setattr>;
  operations.unlink = kGuarded<unlink>;
  operations.rename = kGuarded<rename>;
  operations.setxattr = kGuarded<setxattr>;
  operations.removexattr = kGuarded<removexattr>;
  operations.mknod = kGuarded<mknod>;
  operations.mkdir = kGuarded<mkdir>;
  operations.rmdir = kGuarded<rmdir>;
  operations.symlink = kGuarded<symlink>;
  operations.link = kGuarded<link>;
}

}  // namespace imagefs::fs
