// What a stack of layers comes to, the plain way: applied one after the other to a tree in memory.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/layer_writer.h"

namespace imagefs::tests {

struct ReferenceNode {
  char type = '5';
  std::int64_t mode = 0755;
  std::int64_t mtime = 0;
  std::string link = {};
  std::size_t size = 0;
  std::map<std::string, std::shared_ptr<ReferenceNode>> children = {};
};

class ReferenceTree {
 public:
  // First what the whiteouts hide goes, then each entry comes in its turn.
  void apply(const std::vector<TarEntry>& layer);
  [[nodiscard]] const std::shared_ptr<ReferenceNode>& root() const { return root_; }

 private:
  void hide(const std::string& name);
  void enter(const TarEntry& entry);
  void place(const TarEntry& entry);

  std::shared_ptr<ReferenceNode> root_ = std::make_shared<ReferenceNode>();
};

}  // namespace imagefs::tests
