#include "importer/layer_scan.h"

#include <algorithm>
#include <cerrno>
#include <optional>
#include <string>
#include <vector>

#include "blobstore/error.h"
#include "blobstore/hash_thread.h"
#include "importer/layer_index_builder.h"
#include "importer/layer_tar.h"
#include "importer/layer_tar_header.h"

namespace imagefs::importer {
namespace {

constexpr std::size_t kWorthAThread = std::size_t{64} << 10;  // bytes

// Hashes a decoder's blocks while it decodes the next: each stays until the next but one.
class OverlappedHash {
 public:
  void update(std::span<const std::byte> block) {
    settle();
    if (block.size() < kWorthAThread) {
      hash_.update(block);
      return;
    }
    if (!thread_) thread_.emplace(hash_);
    thread_->start(block);
    busy_ = true;
  }

  [[nodiscard]] blobstore::Digest finish() {
    settle();
    return hash_.finish();
  }

 private:
  void settle() {
    if (busy_) thread_->wait();
    busy_ = false;
  }

  blobstore::Sha256 hash_;
  std::optional<blobstore::HashThread> thread_;
  bool busy_ = false;
};

bool may_be_tar(const TarBlock& block) {
  if (is_zero(block)) return true;
  try {
    (void)parse_header(block);
    return true;
  } catch (const Error&) {
    return false;
  }
}

// Copies what is missing of `block`; how many bytes that were.
std::size_t fill(TarBlock& block, std::size_t filled, std::span<const std::byte> bytes) {
  const auto some = bytes.first(std::min(bytes.size(), block.size() - filled));
  std::ranges::transform(some, block.begin() + static_cast<std::ptrdiff_t>(filled),
                         [](std::byte byte) { return static_cast<char>(byte); });
  return some.size();
}

// Makes the index as far as it can be made: a layer without one is imported all the same, and gets
// it when somebody looks into its rootfs/.
class LayerIndexing {
 public:
  LayerIndexing(int directory, std::uint64_t min_free) {
    attempt([&] { builder_.emplace(directory, min_free); });
  }

  void add(const LayerEntry& entry) {
    attempt([&] {
      if (builder_) builder_->add(entry);
    });
  }

  void finish(LayerFacts& facts) {
    attempt([&] {
      if (!builder_) return;
      facts.index = std::make_shared<CacheFile>(builder_->finish(facts.decoded_size));
      facts.notes = builder_->notes();
    });
    if (failure_) facts.notes.push_back("no index of the layer could be made: " + *failure_);
  }

 private:
  template <typename Step>
  void attempt(const Step& step) try {
    step();
  } catch (const Error& error) {
    failure_ = error.sentence();
    builder_.reset();
  }

  std::optional<LayerIndexBuilder> builder_;
  std::optional<std::string> failure_;
};

}  // namespace

struct LayerScan::State {
  State(const Limits& chosen, std::optional<int> index_directory) : limits(chosen) {
    if (index_directory) indexing.emplace(*index_directory, limits.min_free);
  }

  void append(std::span<const std::byte> stored);
  void begin();
  void decode(std::span<const std::byte> stored);
  void check_size() const;
  void read_tar(std::span<const std::byte> decoded);
  void check_end() const;

  const Limits limits;
  std::vector<std::byte> magic;  // the first bytes, until there are enough to know the compression
  std::optional<Compression> compression;
  std::uint64_t stored_size = 0;
  std::uint64_t decoded_size = 0;
  TarBlock first_block{};
  std::size_t first_filled = 0;
  bool no_tar = false;
  std::optional<LayerIndexing> indexing;
  LayerTar tar{[this](const LayerEntry& entry) {
    if (indexing) indexing->add(entry);
  }};
  std::unique_ptr<Decoder> decoder;
  OverlappedHash hash;  // last: it may still read a block of the decoder's
};

void LayerScan::State::append(std::span<const std::byte> stored) {
  stored_size += stored.size();
  if (!compression) {
    const auto some = stored.first(std::min(stored.size(), kMagicBytes - magic.size()));
    magic.insert(magic.end(), some.begin(), some.end());
    stored = stored.subspan(some.size());
    if (magic.size() < kMagicBytes) return;
    begin();
  }
  decode(stored);
}

void LayerScan::State::begin() {
  compression = detect_compression(magic);
  no_tar = compression == Compression::lz4;
  if (!no_tar && compression != Compression::none) decoder = Decoder::make(*compression);
  decode(magic);
}

void LayerScan::State::decode(std::span<const std::byte> stored) {
  if (no_tar) return;
  if (!decoder) {
    decoded_size += stored.size();
    check_size();
    read_tar(stored);
    return;
  }
  decoder->append(stored, [this](std::span<const std::byte> decoded) {
    decoded_size += decoded.size();
    check_size();
    hash.update(decoded);
    read_tar(decoded);
  });
}

void LayerScan::State::check_size() const {
  if (decoded_size > limits.max_layer) {
    throw Error(EFBIG, "the layer has more than " + std::to_string(limits.max_layer) +
                           " bytes (max_layer)");
  }
  if (decoded_size > limits.ratio_after && limits.over_ratio(stored_size, decoded_size)) {
    throw Error(EFBIG, "the layer decompresses to more than " + std::to_string(limits.max_ratio) +
                           " times its size (max_ratio)");
  }
}

void LayerScan::State::read_tar(std::span<const std::byte> decoded) {
  if (first_filled < kTarBlock) {
    first_filled += fill(first_block, first_filled, decoded);
    no_tar = first_filled == kTarBlock && !may_be_tar(first_block);
  }
  if (!no_tar) tar.append(decoded);
}

void LayerScan::State::check_end() const {
  if (compression == Compression::lz4) {
    throw Error(EINVAL,
                "it is compressed with lz4: a layer is a tar, plain or compressed with "
                "gzip, zstd, bzip2 or xz");
  }
  const bool cut = decoder && !decoder->at_end();
  if (cut && !no_tar) throw Error(EBADMSG, "the " + name(*compression) + " data is cut off");
  if (no_tar || first_filled < kTarBlock) {
    throw Error(EINVAL, decoder ? "the " + name(*compression) + " data holds no tar"
                                : std::string("it is no tar"));
  }
  tar.finish();
}

LayerScan::LayerScan(const Limits& limits, std::optional<int> index_directory)
    : state_(std::make_unique<State>(limits, index_directory)) {}

LayerScan::~LayerScan() = default;

bool LayerScan::may_be_layer(std::span<const std::byte> first_block) {
  if (detect_compression(first_block) != Compression::none) return true;
  TarBlock block{};
  return fill(block, 0, first_block) == block.size() && may_be_tar(block);
}

void LayerScan::append(std::span<const std::byte> stored) { state_->append(stored); }

LayerFacts LayerScan::finish(const blobstore::Digest& blob_digest) {
  if (!state_->compression) state_->begin();
  state_->check_end();
  LayerFacts facts{.compression = *state_->compression,
                   .diff_id = state_->decoder ? state_->hash.finish() : blob_digest,
                   .decoded_size = state_->decoded_size};
  if (state_->indexing) state_->indexing->finish(facts);
  return facts;
}

}  // namespace imagefs::importer
