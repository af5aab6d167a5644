#include <cerrno>
#include <ctime>
#include <iostream>

#include "blobstore/error.h"
#include "blobstore/store.h"
#include "fs/commands/commands.h"
#include "fs/commands/image_reference.h"
#include "fs/image_content.h"
#include "fs/timestamp.h"

namespace imagefs::fs::commands {
namespace {

// An image of the index, or by its digest any other manifest or index of the store.
blobstore::Image find(const blobstore::Store& store, const blobstore::Index& index,
                      const ImageReference& reference, const std::string& now) {
  const auto images = reference.find_in(index);
  if (!images.empty()) return images.front();
  const auto& digest = reference.lone_digest();
  const auto document = digest ? find_document(store, *digest) : std::nullopt;
  if (!document) throw Error(ENOENT, reference.why_absent(index));
  return {.descriptor = *document, .name = {}, .imported = now, .superseded = {}};
}

}  // namespace

int tag(const Path& store, const std::string& text, const std::string& new_name) {
  const ImageReference reference(text);
  const blobstore::Reference name = parse_new_name(new_name);
  const auto opened = blobstore::Store::open(store, blobstore::Store::Access::read_write_existing);
  opened->commit({}, [&](blobstore::Index& index) {
    const std::string now = format_timestamp(std::time(nullptr));
    blobstore::Image image = find(*opened, index, reference, now);
    blobstore::check_digest_in(name, image.descriptor.digest);
    image.name = name.str();
    image.superseded.clear();
    index.add(image, now);
  });
  std::cout << "tagged " << name.str() << '\n';
  return 0;
}

}  // namespace imagefs::fs::commands
