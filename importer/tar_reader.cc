#include "importer/tar_reader.h"

#include <archive.h>
#include <archive_entry.h>

#include <cerrno>
#include <deque>
#include <exception>
#include <new>
#include <utility>
#include <vector>

#include "blobstore/error.h"
#include "importer/layer_tar.h"

namespace imagefs::importer {
namespace {

constexpr std::uint64_t kMaxHeaders = 16U << 20;  // bytes, of one entry
constexpr std::size_t kMaxXattrs = 1024;          // of one entry; archives of images have none
constexpr char kVolumeLabel = 'V';                // GNU tar's --label
constexpr char kDumpDirectory = 'D';              // of --listed-incremental, with the names as data

struct FreeArchive {
  void operator()(archive* handle) const { archive_read_free(handle); }
};
using ArchiveHandle = std::unique_ptr<archive, FreeArchive>;

ArchiveHandle make_handle() {
  ArchiveHandle handle(archive_read_new());
  if (!handle) throw std::bad_alloc();
  archive_read_support_format_tar(handle.get());
  return handle;
}

[[noreturn]] void corrupt(const LayerEntry& entry, const std::string& why) {
  throw Error(EBADMSG, "the archive's entry \"" + entry.name + "\" " + why);
}

void check(const LayerEntry& entry) {
  if (entry.sparse || entry.map_too_long) {
    throw Error(EOPNOTSUPP, "the archive's entry \"" + entry.name +
                                "\" is a sparse file: pack the archive without tar's --sparse");
  }
  if (entry.type == '1' && entry.declared_size > 0) corrupt(entry, "is a hard link with data");
  if (entry.type == kVolumeLabel && entry.declared_size > 0) corrupt(entry, "is a label with data");
  if (entry.name.ends_with('/') && entry.declared_size > 0 && entry.type != '5' &&
      entry.type != kDumpDirectory) {
    corrupt(entry, "is named like a directory and has data");
  }
  if (entry.doubtful) corrupt(entry, "has a name or size that tools read differently");
  if (entry.xattrs.size() > kMaxXattrs) {
    corrupt(entry, "has " + std::to_string(entry.xattrs.size()) +
                       " extended attributes, the limit is " + std::to_string(kMaxXattrs));
  }
}

bool agrees(const char* theirs, const std::string& ours) { return ours == (theirs ? theirs : ""); }

void compare(archive_entry* theirs, const LayerEntry& ours) {
  if (std::cmp_not_equal(archive_entry_size(theirs), ours.size)) {
    corrupt(ours, "has a size that tools read differently");
  }
  if (!agrees(archive_entry_pathname(theirs), ours.name)) {
    corrupt(ours, "has a name that tools read differently");
  }
  const bool hard = ours.type == '1';
  if (!hard && ours.type != '2') return;
  if (!agrees(hard ? archive_entry_hardlink(theirs) : archive_entry_symlink(theirs), ours.link)) {
    corrupt(ours, "is a link whose target tools read differently");
  }
}

}  // namespace

struct TarReader::State {
  explicit State(ByteSource& bytes) : source(bytes) {}

  // What libarchive calls for more bytes. No exception may pass through it.
  static la_ssize_t read(archive* /*handle*/, void* client, const void** buffer) {
    auto& self = *static_cast<State*>(client);
    try {
      const auto bytes = self.pull();
      *buffer = bytes.data();
      return static_cast<la_ssize_t>(bytes.size());
    } catch (...) {
      self.error = std::current_exception();
      return ARCHIVE_FATAL;
    }
  }

  // The next bytes, seen by the audit. Headers are handed on only when they are whole: libarchive's
  // PAX reader reads beyond small pieces (its issue 3251).
  std::span<const std::byte> pull() {
    std::span<const std::byte> bytes = take();
    if (!audit.within_headers()) return bytes;
    staged.assign(bytes.begin(), bytes.end());
    while (audit.within_headers()) {
      bytes = take();
      if (bytes.empty()) break;
      staged.insert(staged.end(), bytes.begin(), bytes.end());
    }
    return staged;
  }

  std::span<const std::byte> take() {
    const auto bytes = source.next();
    exhausted = bytes.empty();
    audit.append(bytes);
    if (audit.within_headers() && audit.header_bytes() > kMaxHeaders) {
      throw Error(EFBIG, "the headers of one entry of the archive have more than " +
                             std::to_string(kMaxHeaders) + " bytes");
    }
    if (audit.has_global_name()) {
      throw Error(EBADMSG, "a global header of the archive gives all entries one name or size");
    }
    return bytes;
  }

  [[noreturn]] void fail() {
    if (error) std::rethrow_exception(std::exchange(error, nullptr));
    const char* const text = archive_error_string(handle.get());
    throw Error(EBADMSG, std::string("the archive's tar is corrupt: ") + (text ? text : "unknown"));
  }

  bool next_header(archive_entry*& found) {
    const int code = archive_read_next_header(handle.get(), &found);
    if (code == ARCHIVE_OK || code == ARCHIVE_WARN) return true;
    // At a block of zeros libarchive ends whatever became of its look at the next one.
    if (error || (code != ARCHIVE_EOF && !exhausted)) fail();
    if (!entries.empty()) corrupt(entries.front(), "is read differently by different tools");
    return false;
  }

  ByteSource& source;
  std::deque<LayerEntry> entries;  // audited, and not yet given out
  LayerTar audit{[this](const LayerEntry& entry) {
    check(entry);
    if (entry.type == kVolumeLabel) return;  // libarchive does not give it out
    entries.push_back(entry);
  }};
  std::vector<std::byte> staged;
  std::exception_ptr error;
  bool exhausted = false;
  std::uint64_t left = 0;  // of the entry's data
  ArchiveHandle handle = make_handle();
};

TarReader::TarReader(ByteSource& source) : state_(std::make_unique<State>(source)) {
  const int code =
      archive_read_open(state_->handle.get(), state_.get(), nullptr, State::read, nullptr);
  if (code != ARCHIVE_OK) state_->fail();
}

TarReader::~TarReader() = default;

std::optional<ArchiveEntry> TarReader::next() {
  while (!data().empty()) continue;
  if (!entry_whole()) return std::nullopt;
  archive_entry* found = nullptr;
  if (!state_->next_header(found)) return std::nullopt;
  if (state_->entries.empty()) {
    throw Error(EBADMSG, "the archive holds an entry that tools read differently");
  }
  LayerEntry entry = std::move(state_->entries.front());
  state_->entries.pop_front();
  compare(found, entry);
  state_->left = entry.size;
  return ArchiveEntry{.type = entry.type,
                      .name = std::move(entry.name),
                      .link = std::move(entry.link),
                      .size = entry.size};
}

std::span<const std::byte> TarReader::data() {
  if (state_->left == 0) return {};
  const void* bytes = nullptr;
  std::size_t size = 0;
  la_int64_t offset = 0;
  const int code = archive_read_data_block(state_->handle.get(), &bytes, &size, &offset);
  if (code != ARCHIVE_OK) {
    if (state_->exhausted && !state_->error) return {};
    state_->fail();
  }
  if (size > state_->left) throw Error(EBADMSG, "the archive's tar is corrupt: too much data");
  state_->left -= size;
  return {static_cast<const std::byte*>(bytes), size};
}

bool TarReader::entry_whole() const { return state_->left == 0; }

bool TarReader::ended() const { return state_->audit.ended(); }

}  // namespace imagefs::importer
