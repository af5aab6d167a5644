// The node of ingest/ itself.
#pragma once

#include "fs/ingest.h"

namespace imagefs::fs {

class Ingest::Directory final : public Node {
 public:
  explicit Directory(const Ingest& ingest) : ingest_(ingest) {}

  [[nodiscard]] NodeId id() const override;
  [[nodiscard]] struct stat attributes() const override;
  [[nodiscard]] Lifetime lifetime() const override { return Lifetime::volatile_; }
  [[nodiscard]] NodePtr lookup(std::string_view name) const override {
    return ingest_.lookup(name);
  }
  void list(std::uint64_t offset,
            const std::function<bool(const ListedName&)>& visit) const override;

 private:
  const Ingest& ingest_;
};

}  // namespace imagefs::fs
