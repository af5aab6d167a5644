#include "importer/intake.h"

#include <cerrno>
#include <utility>

#include "blobstore/error.h"
#include "importer/content_writer.h"
#include "importer/entry_name.h"
#include "importer/free_space.h"

namespace imagefs::importer {
namespace {

constexpr std::size_t kMaxName = 4096;             // bytes; longer names are not looked up
constexpr std::size_t kMaxNameBytes = 32U << 20;   // of all names
constexpr std::size_t kMaxSmallBytes = 24U << 20;  // of all small files
constexpr std::size_t kMaxHeld = 8192;             // files that may become blobs
constexpr std::uint64_t kCheckEvery = 16U << 20;   // bytes between looks at the disk
constexpr std::uint64_t kLarge = 1U << 20;         // bytes

bool is_blob_name(std::string_view name) {
  const std::string_view parent = parent_name(name);
  return parent == "blobs/sha256" || parent.ends_with("/blobs/sha256");
}

bool is_document_name(std::string_view name) {
  const std::string_view base = base_name(name);
  return base == "manifest.json" || base == "index.json" || base == "oci-layout";
}

void check_blob_name(const std::string& name, const Content& content) {
  if (!is_blob_name(name)) return;
  const auto digest = blobstore::Digest::from_hex(base_name(name));
  if (!digest || content.digest() == digest) return;
  throw Error(EBADMSG, "the archive's \"" + name + "\" hashes to " +
                           content.digest().value().str() + ", not to what its name says");
}

}  // namespace

Intake::Intake(blobstore::Store& store, const Limits& limits) : store_(store), limits_(limits) {}

void Intake::take(const ArchiveEntry& entry, TarReader& tar) {
  worth_a_look_ = false;
  count(entry);
  const auto name = clean_name(entry.name);
  if (name && name->size() <= kMaxName) add(*name, entry, tar);
  ++taken_;
}

void Intake::add(const std::string& name, const ArchiveEntry& entry, TarReader& tar) {
  switch (entry.type) {
    case '0':
    case '7':
      take_file(name, entry, tar);
      break;
    case '1':
      archive_.add_hard_link(name, clean_name(entry.link));
      break;
    case '2':
      archive_.add_symlink(name, link_target(name, entry.link));
      break;
    default:
      archive_.add_other(name);
  }
}

void Intake::count(const ArchiveEntry& entry) {
  if (taken_ == 0) check_free(kCheckEvery);
  if (taken_ >= limits_.max_entries) {
    throw Error(EFBIG,
                "the archive has more than " + std::to_string(limits_.max_entries) + " entries");
  }
  if (entry.size > limits_.max_archive) {
    throw Error(EFBIG, "the archive's entry \"" + entry.name + "\" has " +
                           std::to_string(entry.size) + " bytes");
  }
  name_bytes_ += entry.name.size() + entry.link.size();
  if (name_bytes_ > kMaxNameBytes) {
    throw Error(EFBIG, "the names in the archive have more than " + std::to_string(kMaxNameBytes) +
                           " bytes");
  }
}

void Intake::take_file(const std::string& name, const ArchiveEntry& entry, TarReader& tar) {
  const bool in_memory = entry.size <= kSmallFile && small_bytes_ + entry.size <= kMaxSmallBytes;
  if (in_memory) small_bytes_ += static_cast<std::size_t>(entry.size);
  ContentWriter writer(store_, limits_,
                       {.size = entry.size, .is_blob = is_blob_name(name), .in_memory = in_memory});
  for (auto piece = tar.data(); !piece.empty(); piece = tar.data()) {
    if (!in_memory) check_free(piece.size());
    writer.append(piece);
  }
  if (tar.entry_whole()) add_file(name, writer.finish());
}

void Intake::add_file(const std::string& name, Content content) {
  check_blob_name(name, content);
  if (content.holds_file() && ++held_ > kMaxHeld) {
    throw Error(EFBIG, "the archive has more than " + std::to_string(kMaxHeld) +
                           " files that may be layers");
  }
  worth_a_look_ = content.broken() || content.size() >= kLarge || is_document_name(name);
  archive_.add_file(name, std::move(content));
}

void Intake::check_free(std::size_t written) {
  unchecked_ += written;
  if (unchecked_ < kCheckEvery) return;
  unchecked_ = 0;
  require_free(store_.directory_fd(), limits_.min_free);
}

}  // namespace imagefs::importer
