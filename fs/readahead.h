// How far the kernel reads ahead in the files of a mount.
#pragma once

#include <filesystem>

namespace imagefs::fs {

// Raises it from FUSE's 128 KiB to as much as one request may have. Only root may: nothing happens
// otherwise. The mount has to answer requests already.
void raise_readahead(const std::filesystem::path& mountpoint);

}  // namespace imagefs::fs
