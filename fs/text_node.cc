#include "fs/text_node.h"

#include <algorithm>
#include <cstring>

#include "fs/attributes.h"

namespace imagefs::fs {

std::size_t TextContent::read(std::span<std::byte> into, std::uint64_t offset) const {
  if (offset >= bytes_.size()) return 0;
  const std::size_t count = std::min(into.size(), bytes_.size() - offset);
  std::memcpy(into.data(), bytes_.data() + offset, count);
  return count;
}

TextNode::TextNode(NodeId id, const Owner& owner, std::function<Facts()> facts,
                   std::function<std::string()> bytes)
    : id_(id), owner_(owner), facts_(std::move(facts)), bytes_(std::move(bytes)) {}

struct stat TextNode::attributes() const {
  const Facts facts = facts_();
  return file_attributes(id_, owner_, facts.size, facts.blocks, facts.mtime);
}

ContentPtr TextNode::open() const { return std::make_shared<TextContent>(bytes_()); }

}  // namespace imagefs::fs
