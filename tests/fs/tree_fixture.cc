#include "tests/fs/tree_fixture.h"

#include <sys/stat.h>

#include <algorithm>
#include <boost/json.hpp>
#include <fstream>

namespace imagefs::tests {
namespace {

using blobstore::Descriptor;
using blobstore::Digest;
namespace json = boost::json;
namespace media_type = blobstore::media_type;

json::object to_json(const Descriptor& descriptor) {
  json::object object{{"mediaType", descriptor.media_type},
                      {"digest", descriptor.digest.str()},
                      {"size", descriptor.size}};
  if (descriptor.platform) {
    json::object platform{{"os", descriptor.platform->os},
                          {"architecture", descriptor.platform->architecture}};
    if (!descriptor.platform->variant.empty()) platform["variant"] = descriptor.platform->variant;
    object["platform"] = std::move(platform);
  }
  return object;
}

std::string directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? std::string() : path.substr(0, slash);
}

std::string join(const std::string& directory, const std::string& name) {
  return directory.empty() ? name : directory + "/" + name;
}

// Takes the first component off.
std::string pop(std::string& path) {
  const std::size_t slash = path.find('/');
  std::string first = path.substr(0, slash);
  path = slash == std::string::npos ? std::string() : path.substr(slash + 1);
  return first;
}

bool is_symlink(const fs::Node& node) { return S_ISLNK(node.attributes().st_mode); }

}  // namespace

TreeFixture::TreeFixture()
    : store(blobstore::Store::open(temporary_directory_.path() / "store",
                                   blobstore::Store::Access::read_write)) {}

Descriptor TreeFixture::write(const std::string& type, const std::string& bytes) {
  blobstore::Writer writer = store->write_blob();
  writer.append(std::as_bytes(std::span(bytes)));
  const blobstore::HeldBlob& blob = written_.emplace_back(writer.finish());
  return {.media_type = type, .digest = blob.digest, .size = blob.size};
}

void TreeFixture::commit() {
  std::vector<const blobstore::HeldBlob*> blobs;
  for (const blobstore::HeldBlob& blob : written_) blobs.push_back(&blob);
  store->commit(blobs, [](blobstore::Index&) {});
  written_.clear();
}

Descriptor TreeFixture::make_blob(const std::string& type, const std::string& bytes) {
  Descriptor descriptor = write(type, bytes);
  commit();
  return descriptor;
}

MadeImage TreeFixture::make_image(const std::string& seed, const blobstore::Platform& platform,
                                  std::size_t layer_count) {
  json::array layers;
  std::vector<Digest> digests;
  for (std::size_t i = 0; i < layer_count; ++i) {
    const Descriptor layer = write("application/vnd.oci.image.layer.v1.tar",
                                   "layer " + std::to_string(i) + " of " + seed);
    layers.push_back(to_json(layer));
    digests.push_back(layer.digest);
  }
  const json::object config{
      {"os", platform.os}, {"architecture", platform.architecture}, {"comment", seed}};
  const Descriptor config_descriptor = write(media_type::kOciConfig, json::serialize(config));
  const json::object manifest{{"schemaVersion", 2},
                              {"mediaType", media_type::kOciManifest},
                              {"config", to_json(config_descriptor)},
                              {"layers", std::move(layers)}};
  Descriptor descriptor = write(media_type::kOciManifest, json::serialize(manifest));
  commit();
  descriptor.platform = platform;
  return {descriptor, config_descriptor.digest, digests};
}

Descriptor TreeFixture::make_index(const std::vector<Descriptor>& manifests) {
  json::array array;
  for (const Descriptor& manifest : manifests) array.push_back(to_json(manifest));
  const json::object index{
      {"schemaVersion", 2}, {"mediaType", media_type::kOciIndex}, {"manifests", std::move(array)}};
  return make_blob(media_type::kOciIndex, json::serialize(index));
}

void TreeFixture::add(const Descriptor& descriptor, const std::optional<std::string>& name,
                      const std::string& imported) {
  store->commit({}, [&](blobstore::Index& index) {
    index.add({.descriptor = descriptor, .name = name, .imported = imported, .superseded = {}},
              imported);
  });
}

void TreeFixture::remove(const std::string& name) {
  store->commit({}, [&](blobstore::Index& index) { index.remove_name(name); });
}

MadeImage TreeFixture::add_image(const std::string& name, const std::string& seed) {
  MadeImage image = make_image(seed);
  add(image.descriptor, name);
  return image;
}

std::filesystem::path TreeFixture::blob_path(const Digest& digest) const {
  return store->path() / "blobs/sha256" / digest.hex();
}

void TreeFixture::remove_blob(const Digest& digest) const {
  std::filesystem::remove(blob_path(digest));
}

void TreeFixture::damage_blob(const Digest& digest) const {
  std::filesystem::permissions(blob_path(digest), std::filesystem::perms::owner_write,
                               std::filesystem::perm_options::add);
  std::fstream file(blob_path(digest), std::ios::in | std::ios::out);
  const char byte = static_cast<char>(file.get() ^ 1);
  file.seekp(0);
  file.put(byte);
}

fs::TreeOptions TreeFixture::options() const {
  return {.platform = {.os = "linux", .architecture = "amd64"},
          .uid = 7,
          .gid = 8,
          .umask = 022,
          .status = [] { return std::string("{}\n"); }};
}

std::unique_ptr<fs::Tree> TreeFixture::tree() const {
  return std::make_unique<fs::Tree>(store, options());
}

fs::NodePtr walk(const fs::Tree& tree, const std::string& path) {
  fs::NodePtr node = tree.root();
  for (std::string rest = path; node && !rest.empty();) node = node->lookup(pop(rest));
  return node;
}

fs::NodePtr follow(const fs::Tree& tree, const std::string& path) {
  std::string at;
  for (std::string rest = path; !rest.empty();) {
    const std::string name = pop(rest);
    if (name == "..") {
      at = directory_of(at);
      continue;
    }
    const fs::NodePtr node = walk(tree, join(at, name));
    if (!node) return nullptr;
    if (is_symlink(*node)) {
      rest = rest.empty() ? node->target() : node->target() + "/" + rest;
    } else {
      at = join(at, name);
    }
  }
  return walk(tree, at);
}

std::vector<std::string> names(const fs::Node& directory, std::size_t page) {
  std::vector<std::string> all;
  std::uint64_t offset = 0;
  for (std::size_t count = page; count == page;) {
    count = 0;
    directory.list(offset, [&](const fs::ListedName& listed) {
      all.emplace_back(listed.name);
      offset = listed.next;
      return ++count < page;
    });
  }
  std::ranges::sort(all);
  return all;
}

std::string read_all(const fs::Node& file) {
  const fs::ContentPtr content = file.open();
  std::string bytes(content->size(), '\0');
  bytes.resize(content->read(std::as_writable_bytes(std::span(bytes)), 0));
  return bytes;
}

std::string digest_of(const fs::Node& file) { return blobstore::sha256(read_all(file)).str(); }

}  // namespace imagefs::tests
