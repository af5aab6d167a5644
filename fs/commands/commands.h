// What each word of the command line does, once it has been read.
//
// Results go to standard output, everything else to standard error. Each returns the exit status:
// 0, or 1 when something failed that has been reported; Error is for the caller to report.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "fs/mount_options.h"

namespace imagefs::fs::commands {

using Path = std::filesystem::path;

// Returns once the mount answers requests, which a process of its own serves; with `foreground`
// when it has been unmounted. Call it while the process has one thread.
[[nodiscard]] int mount(MountOptions options, bool foreground);

struct ImportArguments {
  Path store;
  std::optional<std::string> name = {};
  std::vector<std::string> files = {};  // "-": standard input
};
// Each file by itself: one that is refused keeps none of the others out.
[[nodiscard]] int import(const ImportArguments& arguments);

[[nodiscard]] int ls(const Path& store, bool json);
// `references`: as fs/commands/image_reference.h has them; sha256:<hex> is an image without a name.
[[nodiscard]] int rm(const Path& store, const std::vector<std::string>& references);
[[nodiscard]] int tag(const Path& store, const std::string& reference, const std::string& name);
[[nodiscard]] int gc(const Path& store, std::chrono::seconds older_than);
// 1 when something is damaged.
[[nodiscard]] int verify(const Path& store);
// Of a mount, when there is a mountpoint; else of the store.
[[nodiscard]] int status(const Path& store, const std::optional<Path>& mountpoint);

}  // namespace imagefs::fs::commands
