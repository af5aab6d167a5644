// The system calls that a store is made of, as RAII and exceptions.
//
// Each name is one path component below an open directory; symbolic links are never followed.
#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "blobstore/unique_fd.h"

namespace imagefs::blobstore {

// Opens a regular file for reading. Nothing when it is absent. Throws Error{EIO} when the name is
// something else, or what openat(2) says. `what` names the file in errors.
[[nodiscard]] std::optional<UniqueFd> open_regular(int directory, const std::string& name,
                                                   const std::string& what);
// Opens a directory. Nothing when it is absent. Throws Error{EIO} when the name is something else.
[[nodiscard]] std::optional<UniqueFd> open_directory(int directory, const std::string& name,
                                                     const std::string& what);
// The same, made (mode 0755) when it is absent.
[[nodiscard]] UniqueFd make_directory(int directory, const std::string& name,
                                      const std::string& what);

[[nodiscard]] struct stat status_of(int fd, const std::string& what);
// Of a name, whatever it is. Nothing when it is absent.
[[nodiscard]] std::optional<struct stat> find_status(int directory, const std::string& name,
                                                     const std::string& what);
// Whether both are of one file, which nobody has written in between.
[[nodiscard]] bool same_file(const struct stat& one, const struct stat& other);
// Reads from the file's offset 0 to its end. Throws Error{EFBIG} over `limit` bytes.
[[nodiscard]] std::string read_all(int fd, std::uint64_t limit, const std::string& what);
// Writes all of `bytes` at `offset`.
void write_all(int fd, std::span<const std::byte> bytes, std::uint64_t offset);
// fsync(2).
void sync(int fd, const std::string& what);

// Replaces the file by one with these bytes, mode 0644, in one step. On disk when it returns. When
// it throws the old file is there, or, if only the last sync failed, the new one. The store's lock
// is held; a crash may leave temporary_name(name).
void replace_file(int directory, const std::string& name, std::string_view bytes);
[[nodiscard]] std::string temporary_name(const std::string& name);
// Gives an open file, also one without a name (O_TMPFILE), a further one. False: errno says why
// not.
[[nodiscard]] bool link_open_file(int fd, int directory, const std::string& name);
// Removes a file; false when it was absent.
bool remove_file(int directory, const std::string& name);

// The names in a directory, without "." and "..", in no order.
[[nodiscard]] std::vector<std::string> names_in(int directory, const std::string& what);
// "<prefix>" and 16 random hex digits.
[[nodiscard]] std::string random_name(std::string_view prefix);

}  // namespace imagefs::blobstore
