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
  if (is_zero(block)) return true;
  try {
    static_cast<void>(parse_header(block));
    return true;
  } catch (const Error&) {
    return false;
  }
}

bool starts_as_tar(std::span<const std::byte> start) {
  TarBlock block{};
  if (start.size() < block.size()) return false;
  std::memcpy(block.data(), start.data(), block.size());
  return is_tar(block);
}

const Format* find_format(std::span<const std::byte> start) {
  if (starts_as_tar(start)) return nullptr;
  const std::string_view text(reinterpret_cast<const char*>(start.data()), start.size());
  const auto found = std::ranges::find_if(
      kFormats, [&](const Format& format) { return text.starts_with(format.magic); });
  return found == kFormats.end() ? nullptr : &*found;
}

}  // namespace

bool is_foreign(std::span<const std::byte> start) { return find_format(start) != nullptr; }

void refuse_foreign(std::span<const std::byte> start) {
  if (start.empty()) throw Error(ENODATA, "the archive is empty");
  if (starts_as_tar(start)) return;
  if (const Format* const format = find_format(start)) {
    throw Error(EINVAL, "this is " + std::string(format->name) + ", not an image archive");
  }
  if (start.size() < kTarBlock) {
    throw Error(ENODATA, "the archive ends after " + std::to_string(start.size()) + " bytes");
  }
  throw Error(EINVAL, "this is no image archive: it does not start as a tar does");
}

}  // namespace imagefs::importer
