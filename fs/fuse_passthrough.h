// The kernel's side of BackingFiles. libfuse has it since 3.17 and the kernel since 6.9: what is
// here is known in fuse_passthrough.cc only.
#pragma once

#include <string>

#include "fs/backing_files.h"

struct fuse_conn_info;
struct fuse_file_info;

namespace imagefs::fs {

// For people: the version of libfuse, and whether this program was built for passthrough.
[[nodiscard]] std::string describe_libfuse();

// When a session begins: has the kernel take files. False where it will not.
[[nodiscard]] bool want_passthrough(fuse_conn_info& session);
// `connection`: the session's descriptor. When the session has ended, the calls do nothing.
[[nodiscard]] BackingFiles::Kernel kernel_behind(int connection);
// In the answer to an open: this is read from the kernel's file `id`. With O_DIRECT it is read by
// requests, which may be of any size.
void set_backing(fuse_file_info& file, int id);

}  // namespace imagefs::fs
