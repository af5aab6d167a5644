// A small file whose bytes are made when it is opened: index.json, status.json.
#pragma once

#include <functional>
#include <string>

#include "fs/image_child.h"
#include "fs/node.h"

namespace imagefs::fs {

// Bytes in memory, as the content of a file.
class TextContent final : public Content {
 public:
  explicit TextContent(std::string bytes) : bytes_(std::move(bytes)) {}
  std::size_t read(std::span<std::byte> into, std::uint64_t offset) const override;
  [[nodiscard]] std::uint64_t size() const override { return bytes_.size(); }

 private:
  const std::string bytes_;
};

class TextNode final : public Node {
 public:
  struct Facts {
    std::uint64_t size;
    std::uint64_t blocks;
    timespec mtime;
  };
  // `facts` and `bytes` are called at each stat and at each open, from any thread.
  TextNode(NodeId id, const Owner& owner, std::function<Facts()> facts,
           std::function<std::string()> bytes);

  [[nodiscard]] NodeId id() const override { return id_; }
  [[nodiscard]] struct stat attributes() const override;
  [[nodiscard]] Lifetime lifetime() const override { return Lifetime::volatile_; }
  [[nodiscard]] ContentPtr open() const override;

 private:
  const NodeId id_;
  const Owner owner_;
  const std::function<Facts()> facts_;
  const std::function<std::string()> bytes_;
};

}  // namespace imagefs::fs
