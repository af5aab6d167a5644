#include "tests/support/layer_writer.h"

#include <algorithm>

namespace imagefs::tests {
namespace {

constexpr std::size_t kBlock = 512;
constexpr std::size_t kNameLength = 100;

void put(std::string& block, std::size_t offset, std::string_view text) {
  std::copy(text.begin(), text.end(), block.begin() + static_cast<std::ptrdiff_t>(offset));
}

// Octal where it fits, base-256 elsewhere, as GNU tar.
void put_number(std::string& block, std::size_t offset, std::size_t length, std::int64_t value) {
  const bool fits = value >= 0 && (value >> (3 * (length - 1))) == 0;
  for (std::size_t i = 0; i < length; ++i) {
    const std::size_t place = offset + length - 1 - i;
    if (!fits) {
      block[place] = i < 8 ? static_cast<char>(value >> (8 * i)) : (value < 0 ? '\xff' : '\0');
    } else if (i > 0) {
      block[place] = static_cast<char>('0' + ((value >> (3 * (i - 1))) & 7));
    }
  }
  if (!fits) block[offset] = static_cast<char>(block[offset] | 0x80);
}

}  // namespace

std::string with_checksum(std::string block) {
  put(block, 148, "        ");
  std::int64_t sum = 0;
  for (const char c : block) sum += static_cast<unsigned char>(c);
  put_number(block, 148, 7, sum);
  return block;
}

std::string tar_header(const TarEntry& entry, std::uint64_t size, bool gnu) {
  std::string block(kBlock, '\0');
  put(block, 0, std::string_view(entry.name).substr(0, kNameLength));
  put_number(block, 100, 8, entry.mode);
  put_number(block, 108, 8, entry.uid);
  put_number(block, 116, 8, entry.gid);
  put_number(block, 124, 12, static_cast<std::int64_t>(size));
  put_number(block, 136, 12, entry.mtime);
  block[156] = entry.type;
  put(block, 157, std::string_view(entry.link).substr(0, kNameLength));
  put(block, 257, gnu ? std::string_view("ustar  \0", 8) : std::string_view("ustar\00000", 8));
  put_number(block, 329, 8, entry.major);
  put_number(block, 337, 8, entry.minor);
  return with_checksum(block);
}

std::string padded(std::string bytes) {
  bytes.resize((bytes.size() + kBlock - 1) / kBlock * kBlock, '\0');
  return bytes;
}

std::string pax_record(std::string_view key, std::string_view value) {
  const std::string rest = " " + std::string(key) + "=" + std::string(value) + "\n";
  std::size_t length = rest.size() + 1;
  while (std::to_string(length).size() + rest.size() != length) ++length;
  return std::to_string(length) + rest;
}

LayerWriter& LayerWriter::add(const TarEntry& entry) {
  std::string records;
  for (const auto& [key, value] : entry.pax) records += pax_record(key, value);
  if (entry.name.size() > kNameLength) records += pax_record("path", entry.name);
  if (entry.link.size() > kNameLength) records += pax_record("linkpath", entry.link);
  if (!records.empty()) {
    bytes_ += tar_header({.type = 'x', .name = "PaxHeaders/x"}, records.size());
    bytes_ += padded(records);
  }
  bytes_ += tar_header(entry, entry.data.size());
  bytes_ += padded(entry.data);
  return *this;
}

LayerWriter& LayerWriter::file(const std::string& name, const std::string& data) {
  return add({.name = name, .data = data});
}

LayerWriter& LayerWriter::directory(const std::string& name, std::int64_t mode) {
  return add({.type = '5', .name = name + "/", .mode = mode});
}

LayerWriter& LayerWriter::link(const std::string& name, const std::string& target) {
  return add({.type = '1', .name = name, .link = target});
}

LayerWriter& LayerWriter::symlink(const std::string& name, const std::string& target) {
  return add({.type = '2', .name = name, .link = target, .mode = 0777});
}

LayerWriter& LayerWriter::raw(const std::string& bytes) {
  bytes_ += bytes;
  return *this;
}

}  // namespace imagefs::tests
