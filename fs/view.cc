#include "fs/view.h"

#include <algorithm>

#include "blobstore/documents.h"
#include "blobstore/reference.h"
#include "fs/timestamp.h"

namespace imagefs::fs {
namespace {

using blobstore::Image;
using blobstore::Reference;

constexpr std::string_view kRoot = "images";
constexpr std::string_view kDefaultDomain = "docker.io";
constexpr int kCookieBits = 62;  // an off_t, with room for what stands before the first entry

// Takes the first component off `path`.
std::string_view pop_component(std::string_view& path) {
  const std::size_t slash = path.find('/');
  const std::string_view component = path.substr(0, slash);
  path.remove_prefix(slash == path.npos ? path.size() : slash + 1);
  return component;
}

ViewDirectory& subdirectory(ViewDirectory& parent, std::string_view name) {
  ViewChild& child = parent.children[std::string(name)];
  if (!child.directory) {
    child.directory = std::make_unique<ViewDirectory>();
    child.directory->path = parent.path + "/" + std::string(name);
    child.directory->id = child.id = make_node_id({child.directory->path});
  }
  return *child.directory;
}

// False when something has that name already.
bool add_leaf(ViewDirectory& parent, const std::string& name, ViewImage image) {
  const auto [at, added] = parent.children.try_emplace(name);
  if (!added) return false;
  at->second.id = make_node_id({parent.path + "/" + name, image.descriptor.digest.str()});
  at->second.image = std::make_shared<const ViewImage>(std::move(image));
  return true;
}

bool add_named(ViewDirectory& root, const Reference& reference, const ViewImage& image) {
  ViewDirectory* directory = &root;
  if (!reference.domain().empty()) directory = &subdirectory(root, reference.domain());
  std::string_view path = reference.path();
  while (path.find('/') != path.npos) directory = &subdirectory(*directory, pop_component(path));
  return add_leaf(*directory, std::string(path) + reference.suffix(), image);
}

void add_image(ViewDirectory& root, ViewImage image) {
  const auto reference = image.name ? Reference::try_parse(*image.name) : std::nullopt;
  if (reference && add_named(root, *reference, image)) return;
  image.name.reset();
  const std::string name = image.descriptor.digest.str();
  add_leaf(root, name, std::move(image));
}

bool earlier(const timespec& a, const timespec& b) {
  return a.tv_sec != b.tv_sec ? a.tv_sec < b.tv_sec : a.tv_nsec < b.tv_nsec;
}

// Fills in what follows from the children. As deep as names have components: at most 128.
void finish(ViewDirectory& directory) {
  for (auto& entry : directory.children) {
    ViewChild& child = entry.second;
    if (child.directory) finish(*child.directory);
    const timespec& time = child.directory ? child.directory->mtime : child.image->imported;
    if (earlier(directory.mtime, time)) directory.mtime = time;
    std::uint64_t cookie = (make_node_id({entry.first}) >> (64 - kCookieBits)) + 1;
    while (!directory.by_cookie.try_emplace(cookie, &entry).second) ++cookie;
  }
}

ViewImage view_image(const Image& image,
                     const std::function<timespec(const blobstore::Digest&)>& blob_time) {
  const blobstore::Descriptor& descriptor = image.descriptor;
  const auto imported = parse_timestamp(image.imported);
  return {.descriptor = {.media_type = descriptor.media_type,
                         .digest = descriptor.digest,
                         .size = descriptor.size,
                         .platform = descriptor.platform},
          .name = image.name,
          .imported = imported ? *imported : blob_time(descriptor.digest)};
}

// The way from one directory to a path below the same root.
std::string relative_path(std::string_view from, std::string_view to) {
  while (!from.empty()) {
    std::string_view from_rest = from;
    std::string_view to_rest = to;
    if (pop_component(from_rest) != pop_component(to_rest) || to_rest.empty()) break;
    from = from_rest;
    to = to_rest;
  }
  std::string path;
  while (!from.empty()) {
    pop_component(from);
    path += "../";
  }
  return path.append(to);
}

}  // namespace

View::View(const std::vector<Image>& images,
           const std::function<timespec(const blobstore::Digest&)>& blob_time) {
  root_.path = kRoot;
  root_.id = make_node_id({kRoot});
  for (const Image& image : images) {
    if (!blobstore::is_document(image.descriptor.media_type)) continue;
    add_image(root_, view_image(image, blob_time));
    digests_.insert(image.descriptor.digest);
  }
  finish(root_);
}

const ViewDirectory* View::directory(std::string_view path) const {
  if (pop_component(path) != kRoot) return nullptr;
  const ViewDirectory* at = &root_;
  while (at != nullptr && !path.empty()) {
    const auto child = at->children.find(pop_component(path));
    at = child == at->children.end() ? nullptr : child->second.directory.get();
  }
  return at;
}

std::optional<std::string> View::familiar_path(const ViewDirectory& directory,
                                               std::string_view name) const {
  const std::string prefix =
      directory.path == kRoot ? std::string() : directory.path.substr(kRoot.size() + 1) + "/";
  if (const auto reference = Reference::try_parse(prefix + std::string(name))) {
    std::string path = std::string(kRoot) + "/" + reference->str();
    const std::size_t slash = path.rfind('/');
    const ViewDirectory* parent = this->directory(path.substr(0, slash));
    if (parent != nullptr && parent->children.contains(path.substr(slash + 1))) return path;
  }
  // A first component that is no domain: docker.io's.
  if (!prefix.empty()) return std::nullopt;
  const auto below = Reference::try_parse(std::string(name) + "/x");
  if (!below || below->domain() != kDefaultDomain || below->path() != std::string(name) + "/x") {
    return std::nullopt;
  }
  std::string path = directory.path + "/" + std::string(kDefaultDomain) + "/" + std::string(name);
  return this->directory(path) != nullptr ? std::optional(std::move(path)) : std::nullopt;
}

std::optional<std::string> View::familiar_target(const ViewDirectory& directory,
                                                 std::string_view name) const {
  if (name.empty() || name.find('/') != name.npos) return std::nullopt;
  const auto path = familiar_path(directory, name);
  return path ? std::optional(relative_path(directory.path, *path)) : std::nullopt;
}

NodeId View::resolve(std::string_view directory_path, std::string_view name) const {
  const ViewDirectory* in = directory(directory_path);
  if (in == nullptr) return 0;
  if (const auto child = in->children.find(name); child != in->children.end()) {
    return child->second.id;
  }
  const auto target = familiar_target(*in, name);
  return target ? familiar_id(*in, name, *target) : 0;
}

NodeId familiar_id(const ViewDirectory& directory, std::string_view name, std::string_view target) {
  return make_node_id({directory.path + "/" + std::string(name), target});
}

}  // namespace imagefs::fs
