#include <iostream>

#include "blobstore/error.h"
#include "blobstore/reference.h"
#include "blobstore/store.h"
#include "fs/commands/commands.h"
#include "fs/commands/text.h"

namespace imagefs::fs::commands {
namespace {

bool remove(blobstore::Index& index, const std::string& reference) {
  if (const auto digest = blobstore::Digest::parse(reference)) {
    return index.remove_untagged(*digest);
  }
  return index.remove_name(blobstore::Reference::parse(reference).str());
}

}  // namespace

int rm(const Path& store, const std::vector<std::string>& references) {
  std::vector<std::string> removed;
  std::vector<std::string> missing;
  const bool misleads = blobstore::Store::open(store, blobstore::Store::Access::read_write)
                            ->commit({}, [&](blobstore::Index& index) {
                              for (const std::string& reference : references) {
                                (remove(index, reference) ? removed : missing).push_back(reference);
                              }
                            });
  if (misleads) blobstore::await_readers();
  for (const std::string& reference : removed)
    std::cout << "removed " << printable(reference) << '\n';
  for (const std::string& reference : missing) report(reference + ": there is no such image");
  return missing.empty() ? 0 : 1;
}

}  // namespace imagefs::fs::commands
