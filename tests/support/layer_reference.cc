#include "tests/support/layer_reference.h"

#include <utility>

namespace imagefs::tests {
namespace {

using NodePtr = std::shared_ptr<ReferenceNode>;

const std::string kWhiteout = ".wh.";
const std::string kOpaque = ".wh..wh..opq";

std::pair<std::string, std::string> split(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return {"", path};
  return {path.substr(0, slash), path.substr(slash + 1)};
}

// Nothing when the path leads through what is no directory.
NodePtr walk(const NodePtr& root, const std::string& path) {
  if (path.empty()) return root;
  const auto [parent, name] = split(path);
  const NodePtr directory = walk(root, parent);
  if (!directory || directory->type != '5' || !directory->children.contains(name)) return nullptr;
  return directory->children.at(name);
}

NodePtr make_directories(const NodePtr& root, const std::string& path) {
  if (path.empty()) return root;
  const auto [parent, name] = split(path);
  NodePtr& child = make_directories(root, parent)->children[name];
  if (!child || child->type != '5') child = std::make_shared<ReferenceNode>();
  return child;
}

NodePtr node_of(const TarEntry& entry) {
  return std::make_shared<ReferenceNode>(ReferenceNode{.type = entry.type,
                                                       .mode = entry.mode,
                                                       .mtime = entry.mtime,
                                                       .link = entry.link,
                                                       .size = entry.data.size()});
}

}  // namespace

void ReferenceTree::apply(const std::vector<TarEntry>& layer) {
  for (const TarEntry& entry : layer) hide(entry.name);
  for (const TarEntry& entry : layer) enter(entry);
}

void ReferenceTree::hide(const std::string& name) {
  const auto [parent, last] = split(name);
  if (!last.starts_with(kWhiteout)) return;
  const NodePtr directory = walk(root_, parent);
  if (!directory || directory->type != '5') return;
  if (last == kOpaque) {
    directory->children.clear();
  } else {
    directory->children.erase(last.substr(kWhiteout.size()));
  }
}

void ReferenceTree::enter(const TarEntry& entry) {
  if (entry.type == '1' && entry.link == entry.name) return;
  if (!entry.name.empty()) {
    const auto [parent, last] = split(entry.name);
    make_directories(root_, parent);
    if (last.starts_with(kWhiteout)) return;
  }
  place(entry);
}

void ReferenceTree::place(const TarEntry& entry) {
  if (entry.type == '5') {
    const NodePtr directory = make_directories(root_, entry.name);
    directory->mode = entry.mode;
    directory->mtime = entry.mtime;
    return;
  }
  const auto [parent, name] = split(entry.name);
  auto& children = walk(root_, parent)->children;
  children.erase(name);
  if (entry.type != '1') {
    children[name] = node_of(entry);
  } else if (const NodePtr target = walk(root_, entry.link); target && target->type != '5') {
    children[name] = target;
  }
}

}  // namespace imagefs::tests
