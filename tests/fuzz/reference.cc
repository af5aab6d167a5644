// Any text is a reference or an Error; what parses is stable when parsed again.
#include "blobstore/reference.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using imagefs::blobstore::Reference;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto reference = Reference::try_parse(text);
  if (!reference) return 0;
  (void)reference->familiar();
  if (Reference::parse(reference->str()).str() != reference->str()) std::abort();
  return 0;
}
