#include "importer/publish.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <map>
#include <set>

#include "blobstore/error.h"
#include "blobstore/reference.h"
#include "importer/publish_indexes.h"

namespace imagefs::importer {
namespace {

using blobstore::Descriptor;
using blobstore::Digest;

// Two imports of one name differ in it: by that is seen that the second may have brought more.
std::string now() {
  timespec time{};
  ::clock_gettime(CLOCK_REALTIME, &time);
  std::tm utc{};
  ::gmtime_r(&time.tv_sec, &utc);
  std::array<char, sizeof "2026-01-01T00:00:00"> text{};
  const std::size_t length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &utc);
  const std::string thousandths = std::to_string(1000 + time.tv_nsec / 1'000'000);
  return std::string(text.data(), length) + "." + thousandths.substr(1) + "Z";
}

void add_name(std::vector<std::string>& names, const std::string& name) {
  if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
}

std::vector<FoundImage> merged(std::vector<FoundImage> images) {
  std::vector<FoundImage> result;
  std::map<Descriptor, std::size_t> places;
  for (FoundImage& image : images) {
    Descriptor nameless = image.descriptor;
    nameless.annotations.erase(blobstore::kNameAnnotation);
    nameless.annotations.erase(blobstore::kRefNameAnnotation);
    const auto [place, added] = places.try_emplace(std::move(nameless), result.size());
    if (added) result.push_back({.names = {}, .descriptor = std::move(image.descriptor)});
    for (const std::string& name : image.names) add_name(result[place->second].names, name);
  }
  return result;
}

void check_number_of_names(const std::vector<FoundImage>& images, std::size_t limit) {
  std::size_t number = 0;
  for (const FoundImage& image : images) number += image.names.size();
  if (number <= limit) return;
  throw Error(EFBIG, "the archive gives its images " + std::to_string(number) +
                         " names, the limit is " + std::to_string(limit));
}

void check_names(const std::vector<FoundImage>& images) {
  std::map<std::string, Digest> owners;
  for (const FoundImage& image : images) {
    for (const std::string& name : image.names) {
      const auto [owner, added] = owners.try_emplace(name, image.descriptor.digest);
      if (added) continue;
      throw Error(EINVAL, "two images of the archive claim the name \"" + name + "\": " +
                              owner->second.str() + " and " + image.descriptor.digest.str());
    }
  }
}

void add_to_index(blobstore::Index& index, const FoundImage& image, const std::string& time) {
  if (image.names.empty()) {
    index.add({.descriptor = image.descriptor, .name = {}, .imported = time, .superseded = {}},
              time);
  }
  for (const std::string& name : image.names) {
    index.add({.descriptor = image.descriptor, .name = name, .imported = time, .superseded = {}},
              time);
  }
}

}  // namespace

std::vector<FoundImage> settle_names(std::vector<FoundImage> images,
                                     const std::optional<std::string>& name,
                                     std::size_t max_names) {
  check_number_of_names(images, max_names);
  images = merged(std::move(images));
  if (name) {
    std::set<Digest> digests;
    for (const FoundImage& image : images) digests.insert(image.descriptor.digest);
    if (digests.size() != 1) {
      throw Error(EINVAL, "the archive holds " + std::to_string(digests.size()) +
                              " images: one name cannot be given to all");
    }
    const auto reference = blobstore::Reference::parse(*name);
    blobstore::check_digest_in(reference, images[0].descriptor.digest);
    images.erase(images.begin() + 1, images.end());
    images[0].names = {reference.str()};
  }
  check_names(images);
  return images;
}

void publish(blobstore::Store& store, Reading& reading, const std::vector<FoundImage>& images) {
  std::vector<Content*> contents = reading.blobs;
  for (Content& manifest : reading.made) contents.push_back(&manifest);
  std::set<Digest> seen;
  std::vector<const blobstore::HeldBlob*> blobs;
  for (Content* const content : contents) {
    const blobstore::HeldBlob& blob = content->blob(store);
    if (seen.insert(blob.digest).second) blobs.push_back(&blob);
  }
  store.commit(blobs, [&](blobstore::Index& index) {
    const std::string time = now();  // one import commits at a time
    for (const FoundImage& image : images) add_to_index(index, image, time);
  });
  publish_indexes(store, reading);
}

}  // namespace imagefs::importer
