#include "importer/layer_path.h"

#include <algorithm>

#include "blobstore/digest.h"

namespace imagefs::importer {
namespace {

constexpr std::size_t kMaxQuoted = 200;

}  // namespace

const DirectoryKey& above_root() {
  static constexpr DirectoryKey key{};
  return key;
}

const DirectoryKey& root_key() {
  static const DirectoryKey key = child_key(above_root(), "");
  return key;
}

DirectoryKey child_key(const DirectoryKey& parent, std::string_view name) {
  std::string path(parent.begin(), parent.end());
  path += name;
  const blobstore::Digest digest = blobstore::sha256(path);
  DirectoryKey key;
  std::copy_n(digest.bytes().begin(), key.size(), key.begin());
  return key;
}

std::string LayerPath::str() const {
  std::string path;
  for (const std::string_view component : components) {
    if (!path.empty()) path += '/';
    path += component;
  }
  return path;
}

LayerPath clean_path(std::string_view name) {
  LayerPath path;
  while (!name.empty()) {
    const std::size_t slash = name.find('/');
    const std::string_view component = name.substr(0, slash);
    name.remove_prefix(slash == std::string_view::npos ? name.size() : slash + 1);
    if (component.empty() || component == ".") continue;
    if (component == "..") path.problem = "it has a component \"..\"";
    if (component.size() > kMaxComponent) path.problem = "a component is longer than 255 bytes";
    path.components.push_back(component);
  }
  if (path.components.size() > kMaxDepth) path.problem = "it is too deep";
  return path;
}

std::string quoted(std::string_view name) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text = "\"";
  for (const char c : name.substr(0, kMaxQuoted)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte >= 0x7f || c == '"' || c == '\\') {
      text += {'\\', 'x', digits[byte >> 4], digits[byte & 15]};
    } else {
      text += c;
    }
  }
  return text + (name.size() > kMaxQuoted ? "…\"" : "\"");
}

}  // namespace imagefs::importer
