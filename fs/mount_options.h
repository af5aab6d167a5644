// What `imagefs mount -o …` may say.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "blobstore/platform.h"
#include "importer/limits.h"

namespace imagefs::fs {

struct MountOptions {
  std::filesystem::path store;
  std::filesystem::path mountpoint;
  bool read_only = false;  // no ingest/
  bool allow_other = false;
  std::optional<uid_t> uid = {};  // owner shown; default: the daemon's
  std::optional<gid_t> gid = {};
  mode_t umask = 022;
  std::optional<std::filesystem::path> drop = {};
  blobstore::Platform platform = blobstore::Platform::host();
  importer::Limits limits = {};
  std::size_t max_imports = 64;  // archives that may arrive at once
  std::uint64_t idle_timeout =
      0;  // seconds without a written byte after which an import is given up; 0: never
  std::vector<std::string> kernel_options = {};  // handed to mount as they are: noatime, context= …

  // Reads "a,b=c,…" into `options`. Accepts and ignores what mount(8) and systemd pass to every
  // helper: rw, dev, suid, exec, auto, noauto, user, _netdev, nofail, defaults, x-* … Sizes take
  // K, M, G, T (1024). Throws Error{EINVAL} that names the option.
  static void parse(const std::string& text, MountOptions& options);
};

}  // namespace imagefs::fs
