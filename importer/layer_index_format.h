// The file that holds a layer's index: cache/index/<hex of the blob's digest>.
//
//   header | pool: names, targets, extras | records | links
//
// Records stand in order of (parent, name), so that a directory's entries are together and a binary
// search finds one. What happened to one name in the course of a layer stays visible, newest record
// first: hard links name what was there when they came. Numbers are the machine's own (the magic
// shows another byte order); whoever cannot read the file makes a new one.
#pragma once

#include <array>
#include <cstdint>

#include "importer/layer_path.h"

namespace imagefs::importer {

inline constexpr std::uint64_t kIndexMagic = 0x31786469'6567616d;  // "mageidx1"
inline constexpr std::uint32_t kIndexVersion = 1;
inline constexpr std::uint64_t kMaxIndexSize = 1U << 30;  // bytes; a layer that needs more has none

struct IndexHeader {
  std::uint64_t magic;
  std::uint32_t version;
  std::uint32_t record_size;
  std::uint64_t pool_size;  // bytes, a multiple of 16
  std::uint64_t records;
  std::uint64_t links;
  std::uint64_t layer_size;  // bytes of the decoded layer
  std::uint64_t body_sum;    // CRC-64 (ECMA-182) of all that follows the header
  std::uint64_t header_sum;  // the same of the header before this field
};
static_assert(sizeof(IndexHeader) == 64);

enum class EntryKind : std::uint8_t {
  none,               // only what the flags say
  implied_directory,  // no entry of its own, but something below it
  directory,
  file,
  symlink,
  hard_link,
  character_device,
  block_device,
  fifo
};
[[nodiscard]] constexpr bool is_directory(EntryKind kind) {
  return kind == EntryKind::directory || kind == EntryKind::implied_directory;
}

namespace entry_flag {
inline constexpr std::uint8_t kWhiteout = 1;  // lower layers' entry of this name is hidden
inline constexpr std::uint8_t kOpaque = 2;    // lower layers' entries of this directory are hidden
inline constexpr std::uint8_t kOlder = 4;     // the next record is of the same name, and older
}  // namespace entry_flag

struct IndexRecord {
  DirectoryKey parent;
  std::uint64_t data;  // file: offset in the decoded layer; link: target's place in the pool;
                       // device: the number, as makedev(3) makes it
  std::uint64_t size;  // bytes, of the file or of a link's target
  std::int64_t mtime;  // seconds
  std::uint32_t nanoseconds;  // of mtime
  std::uint32_t name;         // place in the pool
  std::uint32_t extras;       // place in the pool of xattrs and sparse map
  std::uint32_t extras_size;  // 0: none
  // Entries of a layer count from 1. Of a directory: the entry that gave the attributes, and the
  // first and last at or below it since it became a directory. Else all are the entry itself.
  std::uint32_t entry;
  std::uint32_t first;
  std::uint32_t last;
  std::uint32_t uid;
  std::uint32_t gid;
  std::uint16_t mode;  // without the type
  std::uint16_t name_size;
  EntryKind kind;
  std::uint8_t flags;
  std::array<std::uint8_t, 6> reserved;
};
static_assert(sizeof(IndexRecord) == 88);

inline constexpr std::uint64_t kMaxRecords = kMaxIndexSize / sizeof(IndexRecord);

// A hard link, in order of (target, entry).
struct IndexLink {
  DirectoryKey target;  // child_key() of what it links to
  DirectoryKey key;     // its own
  std::uint32_t target_path;
  std::uint32_t target_size;
  std::uint32_t path;
  std::uint32_t path_size;
  std::uint32_t entry;
  std::uint32_t reserved;
};
static_assert(sizeof(IndexLink) == 56);

// Extras in the pool: this, then for each xattr {u32 name size, u32 value size, name, value}, then
// the segments as pairs of u64.
struct ExtrasHeader {
  std::uint32_t xattrs;
  std::uint32_t segments;
  std::uint8_t sparse;  // a sparse file may have no segment
  std::array<std::uint8_t, 3> reserved;
};
static_assert(sizeof(ExtrasHeader) == 12);

}  // namespace imagefs::importer
