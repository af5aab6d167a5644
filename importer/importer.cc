#include "importer/importer.h"

#include <atomic>
#include <cerrno>
#include <mutex>
#include <optional>
#include <utility>

#include "blobstore/error.h"
#include "importer/decoded_source.h"
#include "importer/decoder_memory.h"
#include "importer/foreign_format.h"
#include "importer/intake.h"
#include "importer/layer_tar_header.h"
#include "importer/peeked_source.h"
#include "importer/publish.h"
#include "importer/reading.h"
#include "importer/tar_reader.h"

namespace imagefs::importer {
namespace {

// Looks at the documents before the end, so that a writer who ignores close(2)'s error sees one
// from write(2). Each costs as much as the documents are long.
constexpr int kMaxLooks = 1000;
constexpr std::size_t kMaxNotes = 100;

std::vector<std::string> few(std::vector<std::string> notes) {
  const std::size_t number = notes.size();
  if (number > kMaxNotes) {
    notes.resize(kMaxNotes);
    notes.push_back(std::to_string(number - kMaxNotes) + " more notes");
  }
  for (std::string& note : notes) note = shortened(std::move(note));
  return notes;
}

}  // namespace

struct Importer::State {
  State(blobstore::Store& where, Options how)
      : store(where), options(std::move(how)), intake(store, options.limits) {}

  void prepare(ByteSource& source) {
    read(source);
    if (!checked) checked = check_all();
    const Reading reading = *std::exchange(checked, std::nullopt);
    for (Content* const blob : reading.blobs) static_cast<void>(blob->blob(store));
  }

  Outcome publish_as(const std::string& file_name) {
    Reading reading = read_documents(intake.archive(), options.limits, file_name, marker_passed);
    if (!marker_passed)
      reading.notes.emplace_back("the archive's end is cut off, but its images are whole");
    const auto images =
        settle_names(std::move(reading.images), options.name, options.limits.max_names);
    importer::publish(store, reading, images);
    Outcome outcome{.images = {}, .notes = few(std::move(reading.notes))};
    for (const FoundImage& image : images) {
      outcome.images.push_back({.names = image.names, .descriptor = image.descriptor});
    }
    return outcome;
  }

  void read(ByteSource& source) {
    const DecoderMemory::Cancellation cancellation([&source] { source.check(); });
    PeekedSource stored(source, [this](std::size_t count) { on_bytes(count); });
    const Compression compression = detect_compression(look_at_start(stored));
    if (compression == Compression::none) {
      read_tar(stored);
    } else {
      DecodedSource decoded(stored, compression, options.limits);
      decoder = &decoded;
      PeekedSource plain(decoded, [](std::size_t) {});
      const auto start = look_at_start(plain);
      if (start.size() < kTarBlock && !decoded.at_end()) refuse_cut(compression);
      if (detect_compression(start) != Compression::none) {
        throw Error(EOPNOTSUPP, "the archive is compressed twice");
      }
      read_tar(plain);
      if (!decoded.at_end()) refuse_cut(compression);
    }
  }

  // Meanwhile complete() may be asked.
  std::span<const std::byte> look_at_start(PeekedSource& source) {
    starting = &source;
    const auto start = source.peek(kTarBlock);
    starting = nullptr;
    return start;
  }

  void on_bytes(std::size_t count) {
    bytes += count;
    if (bytes > options.limits.max_archive) {
      throw Error(EFBIG, "the archive has more than " + std::to_string(options.limits.max_archive) +
                             " bytes");
    }
  }

  void read_tar(PeekedSource& source) {
    refuse_foreign(source.peek(kTarBlock));
    TarReader reader(source);
    tar = &reader;
    while (const auto found = reader.next()) {
      show(found->name);
      intake.take(*found, reader);
      if (intake.worth_a_look()) look();
    }
    show("");
    marker_passed = reader.ended();
    if (marker_passed) {
      checked = check_all();  // before the padding, which may be long
      if (decoder) decoder->expect_padding();
      while (!source.next().empty()) continue;
    }
    tar = nullptr;
  }

  // A manifest.json may still turn out to lie in an OCI layout: it is judged at the end.
  void look() {
    if (!intake.archive().is_layout() || looks++ >= kMaxLooks) return;
    static_cast<void>(read_documents(intake.archive(), options.limits, options.file_name, false));
  }

  // Everything is there that will be. Without the end marker no more is taken for whole than a
  // flush at this place takes: complete().
  Reading check_all() {
    Reading reading =
        read_documents(intake.archive(), options.limits, options.file_name, marker_passed);
    if (reading.missing) refuse(*reading.missing);
    static_cast<void>(settle_names(reading.images, options.name, options.limits.max_names));
    return reading;
  }

  [[noreturn]] void refuse_cut(Compression compression) const {
    throw Error(ENODATA, "the archive is cut off or damaged: its " + name(compression) +
                             " stream has no end after " + std::to_string(bytes) + " bytes");
  }

  [[noreturn]] void refuse(const Error& missing) const {
    if (marker_passed) throw missing;
    throw Error(ENODATA, "the archive is cut off after " + std::to_string(bytes) +
                             " bytes: " + missing.sentence());
  }

  [[nodiscard]] bool complete() {
    if (!compression_complete()) return false;
    if (starting) return is_foreign(starting->peeked());
    if (!tar) return false;
    if (tar->ended()) return true;
    if (std::exchange(judged_at, intake.taken()) != intake.taken()) judged = judge();
    return judged;
  }

  // What may not end here although nothing is missing is refused when it ends.
  [[nodiscard]] bool compression_complete() const try {
    return !decoder || decoder->at_end();
  } catch (const Error&) {
    return true;
  }

  // What is wrong in an OCI layout will not become right by what follows: run() says so when the
  // stream ends.
  [[nodiscard]] bool judge() try {
    return !read_documents(intake.archive(), options.limits, options.file_name, false).missing;
  } catch (const Error&) {
    return intake.archive().is_layout();
  }

  void show(const std::string& name) {
    const std::lock_guard lock(mutex);
    entry = name;
  }

  blobstore::Store& store;
  const Options options;
  Intake intake;
  std::atomic<std::uint64_t> bytes = 0;  // as stored
  int looks = 0;
  const PeekedSource* starting = nullptr;  // while its first bytes come
  const TarReader* tar = nullptr;          // while it reads
  DecodedSource* decoder = nullptr;
  bool marker_passed = false;      // of the end of the archive
  std::optional<Reading> checked;  // once all was there
  std::size_t judged_at = 0;
  bool judged = false;
  mutable std::mutex mutex;
  std::string entry;  // guarded by mutex
};

Importer::Importer(blobstore::Store& store, Options options)
    : state_(std::make_unique<State>(store, std::move(options))) {}

Importer::~Importer() = default;

Outcome Importer::run(ByteSource& source) {
  state_->prepare(source);
  return state_->publish_as(state_->options.file_name);
}

void Importer::prepare(ByteSource& source) { state_->prepare(source); }

Outcome Importer::publish(const std::string& file_name) { return state_->publish_as(file_name); }

bool Importer::complete() const { return state_->complete(); }

Progress Importer::progress() const {
  const std::lock_guard lock(state_->mutex);
  return {.bytes = state_->bytes, .entry = state_->entry};
}

}  // namespace imagefs::importer
