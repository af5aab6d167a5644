#include <algorithm>
#include <cerrno>
#include <ctime>
#include <iostream>

#include "blobstore/error.h"
#include "blobstore/reference.h"
#include "blobstore/store.h"
#include "fs/commands/commands.h"
#include "fs/timestamp.h"

namespace imagefs::fs::commands {
namespace {

blobstore::Image find(const blobstore::Index& index, const std::string& reference) {
  const auto digest = blobstore::Digest::parse(reference);
  const std::string name = digest ? "" : blobstore::Reference::parse(reference).str();
  const auto images = index.images();
  const auto found = std::ranges::find_if(images, [&](const blobstore::Image& image) {
    return digest ? image.descriptor.digest == *digest : image.name == name;
  });
  if (found == images.end()) throw Error(ENOENT, reference + ": there is no such image");
  return *found;
}

}  // namespace

int tag(const Path& store, const std::string& reference, const std::string& name) {
  const std::string normalised = blobstore::Reference::parse(name).str();
  const bool misleads = blobstore::Store::open(store, blobstore::Store::Access::read_write)
                            ->commit({}, [&](blobstore::Index& index) {
                              blobstore::Image image = find(index, reference);
                              image.name = normalised;
                              image.superseded.clear();
                              index.add(image, format_timestamp(std::time(nullptr)));
                            });
  if (misleads) blobstore::await_readers();
  std::cout << "tagged " << normalised << '\n';
  return 0;
}

}  // namespace imagefs::fs::commands
