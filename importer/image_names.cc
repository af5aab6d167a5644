#include "importer/image_names.h"

#include <algorithm>
#include <array>

#include "blobstore/index.h"
#include "blobstore/reference.h"
#include "importer/entry_name.h"

namespace imagefs::importer {
namespace {

constexpr std::array<std::string_view, 15> kSuffixes{
    ".tar", ".tgz", ".tzst", ".txz", ".gz",     ".zst",         ".zstd",          ".xz",
    ".bz2", ".lz4", ".tbz2", ".oci", ".docker", ".oci-archive", ".docker-archive"};

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return result;
}

}  // namespace

std::string image_stem(std::string_view file_name) {
  std::string_view stem = base_name(file_name);
  for (bool found = true; found;) {
    const auto suffix = std::find_if(kSuffixes.begin(), kSuffixes.end(), [&](std::string_view end) {
      return stem.size() > end.size() && lower(stem).ends_with(end);
    });
    found = suffix != kSuffixes.end();
    if (found) stem.remove_suffix(suffix->size());
  }
  return std::string(stem);
}

std::optional<std::string> name_of(const blobstore::Descriptor& descriptor,
                                   std::string_view file_name) {
  const auto annotation = [&](const char* key) -> std::string {
    const auto found = descriptor.annotations.find(key);
    return found == descriptor.annotations.end() ? std::string() : found->second;
  };
  const std::string name = annotation(blobstore::kNameAnnotation);
  if (!name.empty()) return blobstore::Reference::parse(name).str();
  std::string ref_name = annotation(blobstore::kRefNameAnnotation);
  if (ref_name.empty()) return std::nullopt;
  if (blobstore::is_tag(ref_name)) ref_name = image_stem(file_name) + ":" + ref_name;
  const auto reference = blobstore::Reference::try_parse(ref_name);
  return reference ? std::optional(reference->str()) : std::nullopt;
}

}  // namespace imagefs::importer
