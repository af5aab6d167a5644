#include "importer/foreign_format.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>

#include "blobstore/error.h"
#include "importer/layer_tar_header.h"

namespace imagefs::importer {
namespace {

using namespace std::string_view_literals;

struct Format {
  std::string_view magic;
  std::string_view name;
};

constexpr std::array<Format, 20> kFormats{{
    {"070701"sv, "a cpio archive"},
    {"070702"sv, "a cpio archive"},
    {"070707"sv, "a cpio archive"},
    {"\xc7\x71"sv, "a cpio archive"},
    {"PK\3\4"sv, "a zip archive"},
    {"PK\5\6"sv, "an empty zip archive"},
    {"7z\xbc\xaf\x27\x1c"sv, "a 7z archive"},
    {"Rar!\x1a\7"sv, "a rar archive"},
    {"!<arch>\n"sv, "an ar archive or a Debian package"},
    {"\xed\xab\xee\xdb"sv, "an RPM package"},
    {"hsqs"sv, "a squashfs image"},
    {"QFI\xfb"sv, "a qcow2 disk image"},
    {"\x1f\x9d"sv, "compressed by compress(1)"},
    {"\xff\xd8\xff"sv, "a JPEG picture"},
    {"\x89PNG\r\n"sv, "a PNG picture"},
    {"%PDF-"sv, "a PDF document"},
    {"\x7f"
     "ELF"sv,
     "an ELF program"},
    {"#!"sv, "a script"},
    {"{"sv, "a JSON document"},
    {"<"sv, "an HTML or XML document"},
}};

bool is_tar(const TarBlock& block) {
  try {
    static_cast<void>(parse_header(block));
    return true;
  } catch (const Error&) {
    return false;
  }
}

}  // namespace

void refuse_foreign(std::span<const std::byte> start) {
  if (start.empty()) throw Error(ENODATA, "the archive is empty");
  TarBlock block{};
  std::memcpy(block.data(), start.data(), std::min(start.size(), block.size()));
  if (start.size() == block.size() && is_zero(block)) return;
  if (start.size() == block.size() && is_tar(block)) return;
  const std::string_view text(block.data(), block.size());
  for (const Format& format : kFormats) {
    if (!text.starts_with(format.magic)) continue;
    throw Error(EINVAL, "this is " + std::string(format.name) + ", not an image archive");
  }
  if (start.size() < block.size()) {
    throw Error(ENODATA, "the archive ends after " + std::to_string(start.size()) + " bytes");
  }
  throw Error(EINVAL, "this is no image archive: it does not start as a tar does");
}

}  // namespace imagefs::importer
