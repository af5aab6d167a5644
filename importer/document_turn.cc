#include "importer/document_turn.h"

namespace imagefs::importer {
namespace {

constexpr std::uint64_t kLarge = 1 << 20;  // bytes

std::mutex& turns() {
  static std::mutex mutex;
  return mutex;
}

}  // namespace

DocumentTurn::DocumentTurn(std::uint64_t size) : lock_(turns(), std::defer_lock) {
  if (size > kLarge) lock_.lock();
}

blobstore::ImageConfig read_config(const Content& config, const Limits& limits,
                                   const std::string& what) {
  const DocumentTurn turn(config.size());
  return blobstore::parse_config(config.text(limits.max_config, what), what);
}

}  // namespace imagefs::importer
