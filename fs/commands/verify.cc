#include <unistd.h>

#include <atomic>
#include <iostream>

#include "blobstore/store.h"
#include "fs/cached_layers.h"
#include "fs/commands/commands.h"
#include "fs/commands/progress_bar.h"
#include "fs/commands/text.h"

namespace imagefs::fs::commands {
namespace {

// Remembering damage needs a store that can be written; looking for it does not.
std::shared_ptr<blobstore::Store> open(const Path& directory) {
  using Access = blobstore::Store::Access;
  const bool writable = ::access(directory.c_str(), W_OK) == 0;
  return blobstore::Store::open(directory,
                                writable ? Access::read_write_existing : Access::read_only);
}

std::vector<blobstore::Store::Damage> verify_with_progress(blobstore::Store& store) {
  std::atomic<std::uint64_t> done = 0;
  std::atomic<std::uint64_t> total = 0;
  const auto bar = ProgressBar::on_terminal(
      "verify", [&] { return ProgressSample{.done = done, .total = total, .what = {}}; });
  return store.verify([&](std::uint64_t now_done, std::uint64_t in_all) {
    done = now_done;
    total = in_all;
  });
}

// Whether all that mounts have decoded is what the blobs decode to.
bool check_cached_layers(const blobstore::Store& store) {
  const auto damaged = remove_damaged_cached_layers(store);
  for (const blobstore::Digest& layer : damaged) {
    std::cout << layer.str() << ": cache/layers/" << layer.hex() << " is not what it decodes to"
              << (store.read_only() ? "" : ", and was removed") << '\n';
  }
  if (!damaged.empty()) report(counted(damaged.size(), "decoded layer") + " damaged");
  return damaged.empty();
}

}  // namespace

int verify(const Path& store) {
  const auto opened = open(store);
  const auto damages = verify_with_progress(*opened);
  for (const auto& damage : damages) {
    std::cout << damage.digest.str() << ": " << printable(damage.why) << '\n';
  }
  if (!damages.empty()) report(counted(damages.size(), "blob") + " damaged or missing");
  const bool sound = check_cached_layers(*opened) && damages.empty();
  if (sound) std::cout << counted(opened->blobs().size(), "blob") << ", none damaged\n";
  return sound ? 0 : 1;
}

}  // namespace imagefs::fs::commands
