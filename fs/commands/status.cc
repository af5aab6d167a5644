#include <sys/statvfs.h>

#include <boost/json.hpp>
#include <cerrno>
#include <fstream>
#include <iostream>
#include <sstream>

#include "blobstore/error.h"
#include "blobstore/json.h"
#include "blobstore/store.h"
#include "fs/commands/commands.h"
#include "fs/commands/text.h"
#include "fs/quantity.h"

namespace imagefs::fs::commands {
namespace {

std::string scalar(std::string_view key, const boost::json::value& value) {
  if (value.is_string()) return printable(value.as_string());
  if (key.ends_with("bytes") && value.is_number()) {
    return format_size(value.to_number<std::uint64_t>());
  }
  return boost::json::serialize(value);
}

void print(const boost::json::value& value, std::size_t depth);

void print_member(std::string_view key, const boost::json::value& value, std::size_t depth) {
  std::cout << std::string(2 * depth, ' ') << printable(key) << ":";
  const bool nested = (value.is_object() && !value.as_object().empty()) ||
                      (value.is_array() && !value.as_array().empty());
  if (!nested) {
    std::cout << ' ' << (value.is_structured() ? "none" : scalar(key, value)) << '\n';
    return;
  }
  std::cout << '\n';
  print(value, depth + 1);
}

// "key: value" lines; what belongs to a key stands below it, two columns further in.
void print(const boost::json::value& value, std::size_t depth) {
  if (const auto* object = value.if_object()) {
    for (const auto& [key, member] : *object) print_member(key, member, depth);
  } else if (const auto* array = value.if_array()) {
    for (std::size_t i = 0; i < array->size(); ++i) {
      print_member(std::to_string(i + 1), (*array)[i], depth);
    }
  }
}

int mount_status(const Path& mountpoint) {
  const Path path = mountpoint / ".imagefs/status.json";
  const std::ifstream file(path);
  if (!file) {
    if (errno == ENOTCONN)
      throw Error(ENOTCONN, mountpoint.string() + ": the mount's daemon has ended");
    throw Error(errno, mountpoint.string() + ": no imagefs is mounted there");
  }
  std::ostringstream bytes;
  bytes << file.rdbuf();
  print(blobstore::json::parse(bytes.str(), path), 0);
  return 0;
}

std::uint64_t blob_bytes(const blobstore::Store& store) {
  std::uint64_t bytes = 0;
  for (const blobstore::Digest& digest : store.blobs()) {
    if (const auto blob = store.hold(digest)) bytes += blob->size;
  }
  return bytes;
}

int store_status(const Path& directory) {
  const auto store = blobstore::Store::open(directory, blobstore::Store::Access::read_only);
  struct statvfs disk{};
  if (::fstatvfs(store->directory_fd(), &disk) != 0) throw_errno(directory);
  std::cout << aligned({{"store", printable(store->path().string())},
                        {"images", std::to_string(store->read_index().images().size())},
                        {"blobs", std::to_string(store->blobs().size())},
                        {"size", format_size(blob_bytes(*store))},
                        {"free", format_size(disk.f_bavail * disk.f_frsize)}});
  return 0;
}

}  // namespace

int status(const Path& store, const std::optional<Path>& mountpoint) {
  return mountpoint ? mount_status(*mountpoint) : store_status(store);
}

}  // namespace imagefs::fs::commands
