#include "tests/blobstore/store_fixture.h"

#include <algorithm>
#include <fstream>
#include <iterator>

namespace imagefs::blobstore {
namespace {

std::string descriptor_json(const char* type, const HeldBlob& blob) {
  return std::string(R"({"mediaType":")") + type + R"(","digest":")" + blob.digest.str() +
         R"(","size":)" + std::to_string(blob.size) + "}";
}

}  // namespace

std::vector<const HeldBlob*> TestImage::pointers() const {
  std::vector<const HeldBlob*> result;
  for (const HeldBlob& blob : blobs) result.push_back(&blob);
  return result;
}

Image TestImage::named(const std::string& name, const std::string& imported) const {
  return {.descriptor = descriptor, .name = name, .imported = imported, .superseded = {}};
}

Image TestImage::untagged(const std::string& imported) const {
  return {.descriptor = descriptor, .name = {}, .imported = imported, .superseded = {}};
}

std::filesystem::path StoreFixture::blob_path(const Digest& digest) const {
  return path / "blobs" / "sha256" / digest.hex();
}

std::vector<std::pair<std::string, std::string>> StoreFixture::files() const {
  std::vector<std::pair<std::string, std::string>> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(path)) {
    if (!entry.is_regular_file() || entry.path().filename() == "lock") continue;
    files.emplace_back(entry.path().lexically_relative(path).string(), read_file(entry.path()));
  }
  std::sort(files.begin(), files.end());
  return files;
}

HeldBlob write(Store& store, std::string_view bytes) {
  Writer writer = store.write_blob();
  writer.append(std::as_bytes(std::span(bytes)));
  return writer.finish();
}

TestImage make_image(Store& store, const std::string& content) {
  std::vector<HeldBlob> blobs;
  blobs.push_back(write(store, "layer " + content));
  blobs.push_back(write(store, R"({"os":"linux","architecture":"amd64","x":")" + content + "\"}"));
  blobs.push_back(write(store, R"({"schemaVersion":2,"config":)" +
                                   descriptor_json(media_type::kOciConfig, blobs[1]) +
                                   R"(,"layers":[)" + descriptor_json("x/layer", blobs[0]) + "]}"));
  Descriptor descriptor{media_type::kOciManifest, blobs[2].digest, blobs[2].size};
  return {std::move(blobs), std::move(descriptor)};
}

void add(Store& store, const TestImage& image, const std::string& name) {
  store.commit(image.pointers(), [&](Index& index) { index.add(image.named(name), kNow); });
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

void write_file(const std::filesystem::path& path, std::string_view bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << bytes;
}

void flip_byte(const std::filesystem::path& path) {
  std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  std::string bytes = read_file(path);
  bytes.at(bytes.size() / 2) ^= 1;
  write_file(path, bytes);
}

}  // namespace imagefs::blobstore
