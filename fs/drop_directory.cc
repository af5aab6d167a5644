#include "fs/drop_directory.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <memory>
#include <set>
#include <tuple>
#include <utility>

#include "blobstore/error.h"
#include "fs/log.h"
#include "importer/file_source.h"

namespace imagefs::fs {
namespace {

constexpr std::uint32_t kEvents = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE;
constexpr std::size_t kBuffer = 64 << 10;
constexpr std::string_view kSuffix = ".error";
constexpr std::chrono::seconds kWhileGrowing{1};  // between two looks at a file with a writer
constexpr std::chrono::seconds kAfterTrouble{
    60};  // before a file is tried again that was not at fault
constexpr std::chrono::seconds kQuiet{
    2};  // unchanged for so long: nobody writes, where leases fail

bool is_archive_name(std::string_view name) {
  return !name.empty() && name.front() != '.' && !name.ends_with(kSuffix);
}

// A lease is refused while the file is open for writing (fcntl(2), F_SETLEASE); it needs the file's
// owner or CAP_LEASE.
bool has_writer(int fd, const struct stat& attributes) {
  if (::fcntl(fd, F_SETLEASE, F_RDLCK) == 0) {
    ::fcntl(fd, F_SETLEASE, F_UNLCK);
    return false;
  }
  if (errno == EAGAIN) return true;
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return now.tv_sec - attributes.st_mtim.tv_sec < kQuiet.count();
}

// Whether the archive itself was found wanting, so that the same bytes need not be read again.
bool is_final(const Verdict& verdict) {
  constexpr std::array final = {0, EINVAL, EBADMSG, ENODATA, EFBIG, EOPNOTSUPP};
  return std::ranges::find(final, verdict.errno_value) != final.end();
}

class StoppableSource final : public importer::ByteSource {
 public:
  StoppableSource(UniqueFd file, const std::atomic<bool>& stopping)
      : source_(std::move(file)), stopping_(stopping) {}
  [[nodiscard]] std::span<const std::byte> next() override {
    check();
    return source_.next();
  }
  void check() override {
    if (stopping_) throw Error(ECANCELED, "the mount ends");
  }

 private:
  importer::FileSource source_;
  const std::atomic<bool>& stopping_;
};

using Directory = std::unique_ptr<DIR, decltype([](DIR* directory) { ::closedir(directory); })>;

std::vector<std::string> names_in(int directory_fd) {
  const Directory directory(::fdopendir(::openat(directory_fd, ".", O_RDONLY | O_CLOEXEC)));
  if (!directory) throw_errno("drop directory");
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(directory.get())) {
    if (is_archive_name(entry->d_name)) names.emplace_back(entry->d_name);
  }
  return names;
}

UniqueFd open_directory(const std::filesystem::path& path) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) throw_errno("drop directory " + path.string());
  return fd;
}

}  // namespace

DropDirectory::DropDirectory(const std::filesystem::path& directory, int store_fd, Import import)
    : path_(directory),
      import_(std::move(import)),
      directory_(open_directory(directory)),
      inotify_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)),
      stop_(::eventfd(0, EFD_CLOEXEC)),
      memory_(store_fd) {
  if (!inotify_ || !stop_) throw_errno("inotify");
  const std::string path = "/proc/self/fd/" + std::to_string(directory_.get());
  if (::inotify_add_watch(inotify_.get(), path.c_str(), kEvents) < 0)
    throw_errno("watching drop directory " + directory.string());
  // Who opens a file for writing just while its lease is tried out would end the process with it.
  ::signal(SIGIO, SIG_IGN);
  thread_ = std::thread([this] { run(); });
}

DropDirectory::~DropDirectory() {
  stopping_ = true;
  ::eventfd_write(stop_.get(), 1);
  thread_.join();
}

void DropDirectory::run() {
  const auto guarded = [this](void (DropDirectory::*step)()) {
    try {
      (this->*step)();
    } catch (const std::exception& error) {
      log(LOG_WARNING, "drop directory " + path_.string() + ": " + error.what());
    }
  };
  guarded(&DropDirectory::scan);
  while (!stopping_) {
    guarded(&DropDirectory::look_at_due);
    guarded(&DropDirectory::wait);
  }
}

void DropDirectory::wait() {
  int timeout = -1;
  if (!due_.empty()) {
    const auto next =
        std::ranges::min_element(due_, {}, [](const auto& entry) { return entry.second; });
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(next->second - Clock::now()).count();
    timeout = static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
  }
  std::array<pollfd, 2> polled{{{.fd = inotify_.get(), .events = POLLIN, .revents = 0},
                                {.fd = stop_.get(), .events = POLLIN, .revents = 0}}};
  if (::poll(polled.data(), polled.size(), timeout) > 0 && polled[0].revents != 0) read_events();
}

void DropDirectory::read_events() {
  alignas(inotify_event) std::array<char, kBuffer> buffer;
  ssize_t size = 0;
  while ((size = ::read(inotify_.get(), buffer.data(), buffer.size())) > 0) {
    for (std::size_t at = 0; at < static_cast<std::size_t>(size);) {
      inotify_event event{};
      std::memcpy(&event, buffer.data() + at, sizeof event);
      handle_event(event.len == 0 ? "" : buffer.data() + at + sizeof event, event.mask);
      at += sizeof event + event.len;
    }
  }
}

void DropDirectory::handle_event(std::string_view name, std::uint32_t mask) {
  if ((mask & IN_Q_OVERFLOW) != 0) return scan();
  if (!is_archive_name(name)) return;
  if ((mask & (IN_CLOSE_WRITE | IN_MOVED_TO)) != 0) {
    due_[std::string(name)] = Clock::now();
  } else {
    due_.erase(std::string(name));
    remove_reason(std::string(name));
  }
}

void DropDirectory::scan() {
  std::set<DropMemory::File> present;
  for (const std::string& name : names_in(directory_.get())) {
    struct stat attributes{};
    if (::fstatat(directory_.get(), name.c_str(), &attributes, AT_SYMLINK_NOFOLLOW) != 0) continue;
    present.insert(DropMemory::File(attributes));
    due_.emplace(name, Clock::now());
  }
  memory_.keep(present);
}

void DropDirectory::look_at_due() {
  using Key = std::tuple<std::time_t, long, std::string>;
  std::vector<Key> names;
  for (const auto& [name, when] : due_) {
    if (when > Clock::now()) continue;
    struct stat attributes{};
    ::fstatat(directory_.get(), name.c_str(), &attributes, AT_SYMLINK_NOFOLLOW);
    names.emplace_back(attributes.st_mtim.tv_sec, attributes.st_mtim.tv_nsec, name);
  }
  std::ranges::sort(names);
  for (const auto& [seconds, nanoseconds, name] : names) {
    if (stopping_) return;
    due_.erase(name);
    look_at(name);
  }
}

void DropDirectory::look_at(const std::string& name) {
  constexpr int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
  UniqueFd file(::openat(directory_.get(), name.c_str(), flags));
  struct stat attributes{};
  if (!file || ::fstat(file.get(), &attributes) != 0) {
    if (errno != ENOENT && errno != ELOOP && errno != ENXIO)
      log(LOG_WARNING, name + ": cannot be read: " + std::generic_category().message(errno));
    return;
  }
  if (!S_ISREG(attributes.st_mode) || attributes.st_size == 0) return;
  if (has_writer(file.get(), attributes)) {
    due_.emplace(name, Clock::now() + kWhileGrowing);
  } else if (!memory_.knows(DropMemory::File(attributes))) {
    judge(name, std::move(file), attributes);
  }
}

void DropDirectory::judge(const std::string& name, UniqueFd file, const struct stat& attributes) {
  const int again = ::fcntl(file.get(), F_DUPFD_CLOEXEC, 0);
  if (again < 0) throw_errno(name);
  const UniqueFd judged(again);
  StoppableSource source(std::move(file), stopping_);
  const Verdict verdict = import_(name, attributes.st_uid, source);
  if (verdict.errno_value == ECANCELED) return;

  struct stat after{};
  const bool unchanged =
      ::fstat(judged.get(), &after) == 0 && DropMemory::File(after) == DropMemory::File(attributes);
  if (!unchanged) {
    due_.emplace(name, Clock::now() + kWhileGrowing);
  } else if (is_final(verdict)) {
    memory_.add(DropMemory::File(attributes));
  } else {
    due_.emplace(name, Clock::now() + kAfterTrouble);
  }
  verdict.errno_value == 0 ? remove_reason(name) : write_reason(name, verdict.sentence);
}

// Written under a name with a dot and renamed: whoever waits for it reads a whole line. A directory
// that cannot be written leaves the log as the place to read it.
void DropDirectory::write_reason(const std::string& name, const std::string& sentence) {
  const std::string text = one_line(sentence) + "\n";
  const std::string temporary = "." + name + std::string(kSuffix);
  constexpr int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  ::unlinkat(directory_.get(), temporary.c_str(), 0);  // left over, or a trap: a FIFO
  const UniqueFd file(::openat(directory_.get(), temporary.c_str(), flags, 0644));
  if (!file) return;
  const bool written =
      ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
  if (!written || ::renameat(directory_.get(), temporary.c_str(), directory_.get(),
                             (name + std::string(kSuffix)).c_str()) != 0)
    ::unlinkat(directory_.get(), temporary.c_str(), 0);
}

void DropDirectory::remove_reason(const std::string& name) {
  ::unlinkat(directory_.get(), (name + std::string(kSuffix)).c_str(), 0);
}

}  // namespace imagefs::fs
