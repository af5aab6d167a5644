#include "fs/node.h"

#include <bit>
#include <cerrno>

#include "blobstore/error.h"

namespace imagefs::fs {
namespace {

// SipHash-2-4 (Aumasson and Bernstein) with a fixed key: ids have to survive a restart.
class SipHash {
 public:
  void update(std::string_view bytes) {
    for (const char c : bytes) update(static_cast<std::uint8_t>(c));
  }
  void update(std::uint64_t word) {
    for (int shift = 0; shift < 64; shift += 8) update(static_cast<std::uint8_t>(word >> shift));
  }
  [[nodiscard]] std::uint64_t finish() {
    const std::uint64_t length = length_ & 0xff;
    while (length_ % 8 != 7) update(std::uint8_t{0});
    update(static_cast<std::uint8_t>(length));
    v2_ ^= 0xff;
    for (int i = 0; i < 4; ++i) round();
    return v0_ ^ v1_ ^ v2_ ^ v3_;
  }

 private:
  void update(std::uint8_t byte) {
    word_ |= std::uint64_t{byte} << (8 * (length_ % 8));
    if (++length_ % 8 != 0) return;
    v3_ ^= word_;
    round();
    round();
    v0_ ^= word_;
    word_ = 0;
  }
  void round() {
    v0_ += v1_;
    v1_ = std::rotl(v1_, 13) ^ v0_;
    v0_ = std::rotl(v0_, 32);
    v2_ += v3_;
    v3_ = std::rotl(v3_, 16) ^ v2_;
    v0_ += v3_;
    v3_ = std::rotl(v3_, 21) ^ v0_;
    v2_ += v1_;
    v1_ = std::rotl(v1_, 17) ^ v2_;
    v2_ = std::rotl(v2_, 32);
  }

  static constexpr std::uint64_t kKey0 = 0x696d616765667331;
  static constexpr std::uint64_t kKey1 = 0x6e6f646520696473;
  std::uint64_t v0_ = kKey0 ^ 0x736f6d6570736575;
  std::uint64_t v1_ = kKey1 ^ 0x646f72616e646f6d;
  std::uint64_t v2_ = kKey0 ^ 0x6c7967656e657261;
  std::uint64_t v3_ = kKey1 ^ 0x7465646279746573;
  std::uint64_t word_ = 0;
  std::uint64_t length_ = 0;  // bytes
};

}  // namespace

NodeId make_node_id(std::initializer_list<std::string_view> parts) {
  SipHash hash;
  for (const std::string_view part : parts) {
    hash.update(std::uint64_t{part.size()});  // so that {"ab", "c"} is not {"a", "bc"}
    hash.update(part);
  }
  const NodeId id = hash.finish();
  return id > 1 ? id : id + 2;
}

NodePtr Node::lookup(std::string_view name) const {
  throw Error(ENOTDIR, "'" + std::string(name) + "' is looked up in what is no directory");
}

void Node::list(std::uint64_t /*offset*/,
                const std::function<bool(const ListedName&)>& /*visit*/) const {
  throw Error(ENOTDIR, "only a directory can be listed");
}

std::string Node::target() const { throw Error(EINVAL, "only a symlink has a target"); }

ContentPtr Node::open() const {
  const mode_t type = attributes().st_mode & S_IFMT;
  if (type == S_IFDIR) throw Error(EISDIR, "a directory cannot be opened as a file");
  throw Error(EACCES, "only a regular file can be opened");
}

std::vector<std::string> Node::xattr_names() const { return {}; }

std::optional<std::string> Node::xattr(std::string_view /*name*/) const { return std::nullopt; }

}  // namespace imagefs::fs
