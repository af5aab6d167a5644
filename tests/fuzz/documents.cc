// Any bytes are a manifest, an index, a config and an index.json, or an Error.
#include "blobstore/documents.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "blobstore/error.h"
#include "blobstore/index.h"

namespace {

template <typename Parse>
void try_to(const Parse& parse) {
  try {
    parse();
  } catch (const imagefs::Error& error) {
    if (error.sentence().empty()) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace blobstore = imagefs::blobstore;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try_to([&] { (void)blobstore::parse_document(text, "", "the document"); });
  try_to([&] { (void)blobstore::parse_config(text, "the config"); });
  try_to([&] {
    const blobstore::Index index(text);
    if (blobstore::Index(index.bytes()).bytes() != index.bytes()) std::abort();
    (void)index.images();
  });
  return 0;
}
