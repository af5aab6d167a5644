#include "importer/archive.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>
#include <vector>

#include "blobstore/error.h"
#include "importer/entry_name.h"

namespace imagefs::importer {
namespace {

// What makes an archive a Docker or an OCI archive.
constexpr std::string_view kLayout = "oci-layout";
constexpr std::array<std::string_view, 2> kMarks{"manifest.json", kLayout};
constexpr std::string_view kIndex = "index.json";
constexpr std::string_view kBlobs = "blobs/sha256/";
constexpr int kMaxSteps = 4 * kMaxSymlinkHops;  // of symlinks and hard links

bool is_mark(std::string_view base) {
  return std::find(kMarks.begin(), kMarks.end(), base) != kMarks.end();
}

bool is_control_name(std::string_view name) {
  const std::string_view base = base_name(name);
  return base == kIndex || is_mark(base);
}

}  // namespace

void Archive::add_file(const std::string& name, Content content) { add(name, std::move(content)); }

void Archive::add_symlink(const std::string& name, std::optional<std::string> target) {
  add(name, Link{.target = std::move(target), .symbolic = true});
}

void Archive::add_hard_link(const std::string& name, std::optional<std::string> target) {
  // Of another hard link it is a name of the same file: chains of them are none.
  const auto earlier = target ? entries_.find(*target) : entries_.end();
  const auto* link = earlier == entries_.end() ? nullptr : std::get_if<Link>(&earlier->second);
  if (link && !link->symbolic) target = link->target;
  add(name, Link{.target = std::move(target), .symbolic = false});
}

void Archive::add_other(const std::string& name) {
  if (is_control_name(name)) add(name, Other{});
}

void Archive::add(const std::string& name, Entry entry) {
  const auto [place, added] = entries_.try_emplace(name, std::move(entry));
  if (added) return;
  Entry& old = place->second;
  const auto* old_file = std::get_if<Content>(&old);
  const auto* file = std::get_if<Content>(&entry);
  if (old_file && file && file->same_bytes(*old_file)) return;
  const auto* old_link = std::get_if<Link>(&old);
  const auto* link = std::get_if<Link>(&entry);
  if (old_link && link && link->target == old_link->target) return;
  old = Conflict{};
}

bool Archive::find_root(bool all) {
  root_.clear();
  if (has_control_file("")) return true;
  const std::vector<std::string> candidates = control_files_one_below();
  if (candidates.empty()) return false;
  const std::string root(parent_name(candidates.front()));
  const std::string other(parent_name(candidates.back()));
  if (root != other) {
    if (!all) return false;  // the top's may come
    throw Error(EINVAL, "the archive holds more than one image archive, in \"" + root +
                            "/\" and in \"" + other + "/\"");
  }
  if (!all_below(root + "/")) return false;
  root_ = root + "/";
  return true;
}

bool Archive::is_layout() const { return entries_.contains(kLayout) && entries_.contains(kIndex); }

bool Archive::may_become_layout() const {
  return entries_.contains(root_ + std::string(kLayout)) ||
         entries_.contains(root_ + std::string(kIndex)) || has_below(root_ + std::string(kBlobs));
}

std::vector<std::string> Archive::control_files_one_below() const {
  std::vector<std::string> names;
  for (const auto& [name, entry] : entries_) {
    const std::string_view directory = parent_name(name);
    const bool one_below = !directory.empty() && directory.find('/') == std::string_view::npos;
    if (one_below && is_mark(base_name(name))) names.push_back(name);
  }
  return names;
}

bool Archive::has_control_file(const std::string& directory) const {
  return std::any_of(kMarks.begin(), kMarks.end(), [&](std::string_view mark) {
    return entries_.contains(directory + std::string(mark));
  });
}

bool Archive::all_below(const std::string& directory) const {
  return std::all_of(entries_.begin(), entries_.end(),
                     [&](const auto& item) { return item.first.starts_with(directory); });
}

Archive::Entry* Archive::find_entry(const std::string& name) {
  const auto found = entries_.find(name);
  if (found == entries_.end()) return nullptr;
  if (std::holds_alternative<Conflict>(found->second)) {
    throw Error(EINVAL, "the archive holds two different entries named \"" + name + "\"");
  }
  return &found->second;
}

Content* Archive::find(std::string_view name) {
  const auto clean = clean_name(name);
  return clean ? follow(root_ + *clean) : nullptr;
}

Content* Archive::follow(std::string name) {
  const std::string first = name;
  int hops = 0;
  for (int steps = 0; hops <= kMaxSymlinkHops && steps <= kMaxSteps; ++steps) {
    Entry* const entry = find_entry(name);
    if (!entry) return nullptr;
    if (auto* file = std::get_if<Content>(entry)) return file;
    const auto* link = std::get_if<Link>(entry);
    if (!link || !link->target) return nullptr;
    name = *link->target;
    if (link->symbolic) ++hops;
  }
  throw Error(EINVAL, "the archive's entry \"" + first + "\" leads through more than " +
                          std::to_string(kMaxSymlinkHops) + " links");
}

Content* Archive::find_control_file(std::string_view name) {
  Entry* const entry = find_entry(root_ + std::string(name));
  if (!entry) return nullptr;
  if (auto* file = std::get_if<Content>(entry)) return file;
  throw Error(EINVAL, "the archive's \"" + std::string(name) + "\" is not a regular file");
}

Content* Archive::find_blob(const blobstore::Digest& digest) {
  Content* const content = find(std::string(kBlobs) + digest.hex());
  if (content && content->digest() != digest) {
    throw Error(EBADMSG,
                "the archive's \"blobs/sha256/" + digest.hex() + "\" leads to other bytes");
  }
  return content;
}

std::string Archive::why_absent(std::string_view name) {
  const auto clean = clean_name(name);
  const Entry* const entry = clean ? find_entry(root_ + *clean) : nullptr;
  const auto* const link = entry ? std::get_if<Link>(entry) : nullptr;
  if (!link) return "is not an entry of the archive";
  return std::string("is not there: it is a ") + (link->symbolic ? "symlink" : "hard link") +
         " to " + (link->target ? "\"" + *link->target + "\"" : "what lies outside the archive");
}

std::string Archive::dangling_layer_link() {
  for (const auto& [name, entry] : entries_) {
    const auto* link = std::get_if<Link>(&entry);
    if (!link || !link->symbolic || base_name(name) != "layer.tar" || follow(name)) continue;
    return "the archive's \"" + name + "\" is a symlink to \"" +
           link->target.value_or("something outside") + "\", which is not there";
  }
  return {};
}

bool Archive::has_below(const std::string& directory) const {
  const auto found = entries_.lower_bound(directory);
  return found != entries_.end() && found->first.starts_with(directory);
}

std::string Archive::describe() const {
  if (entries_.empty()) return "the archive is empty: it holds no files";
  if (entries_.contains("repositories")) {
    return "the archive has no manifest.json, only \"repositories\": Docker's image format 1.0 is "
           "not supported";
  }
  const std::string lacks = "the archive has neither manifest.json nor oci-layout";
  if (has_below("etc/") || has_below("usr/")) {
    return lacks + ": it looks like a root filesystem (docker export), not an image (docker save)";
  }
  if (entries_.contains(std::string(kIndex))) return lacks + ", only index.json";
  return lacks + ": it is no image archive";
}

}  // namespace imagefs::importer
