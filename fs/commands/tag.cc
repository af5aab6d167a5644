#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <iostream>

#include "blobstore/error.h"
#include "blobstore/reference.h"
#include "blobstore/store.h"
#include "fs/commands/commands.h"
#include "fs/commands/text.h"

namespace imagefs::fs::commands {
namespace {

// RFC 3339, UTC.
std::string now() {
  const std::time_t seconds = std::time(nullptr);
  std::tm fields{};
  ::gmtime_r(&seconds, &fields);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &fields);
  return text.data();
}

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
  blobstore::Store::open(store, blobstore::Store::Access::read_write)
      ->commit({}, [&](blobstore::Index& index) {
        blobstore::Image image = find(index, reference);
        image.name = normalised;
        image.superseded.clear();
        index.add(image, now());
      });
  std::cout << "tagged " << normalised << '\n';
  return 0;
}

}  // namespace imagefs::fs::commands
