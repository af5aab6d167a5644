#include "fs/status.h"

#include <boost/json.hpp>
#include <utility>

#include "fs/blob_node.h"
#include "fs/timestamp.h"
#include "fs/utf8.h"

namespace imagefs::fs {
namespace {

namespace json = boost::json;

template <typename T>
void push_bounded(std::deque<T>& last, T value) {
  last.push_front(std::move(value));
  if (last.size() > Status::kRemembered) last.pop_back();
}

json::object blob_totals(const blobstore::Store& store) {
  std::uint64_t bytes = 0;
  const auto blobs = store.blobs();
  for (const blobstore::Digest& digest : blobs) {
    if (const auto st = stat_blob(store, digest)) bytes += static_cast<std::uint64_t>(st->st_size);
  }
  return {{"blobs", blobs.size()}, {"bytes", bytes}};
}

json::array strings(const std::vector<std::string>& texts) {
  json::array array;
  for (const std::string& text : texts) array.emplace_back(valid_utf8(text));
  return array;
}

// One member a line, so that the file reads well without a tool.
std::string write_lines(const json::object& document) {
  std::string text;
  for (const auto& [key, value] : document) {
    text += text.empty() ? "{\n" : ",\n";
    text += "  " + json::serialize(json::value(key)) + ": " + json::serialize(value);
  }
  return text + "\n}\n";
}

}  // namespace

struct Status::Json {
  static json::object of(const Arrival& arrival) {
    const importer::Progress progress =
        arrival.progress ? arrival.progress() : importer::Progress{};
    return {{"file", valid_utf8(arrival.file)},
            {"uid", arrival.user},
            {"since", format_timestamp(arrival.since)},
            {"bytes", progress.bytes},
            {"entry", valid_utf8(progress.entry)}};
  }
  static json::object of(const Imported& import) {
    json::array images;
    for (const importer::ImportedImage& image : import.images) {
      images.push_back(
          {{"names", strings(image.names)}, {"digest", image.descriptor.digest.str()}});
    }
    return {{"file", valid_utf8(import.file)},
            {"uid", import.user},
            {"at", format_timestamp(import.at)},
            {"images", std::move(images)},
            {"notes", strings(import.notes)}};
  }
  static json::object of(const Refused& refusal) {
    return {{"file", valid_utf8(refusal.file)},
            {"uid", refusal.user},
            {"at", format_timestamp(refusal.at)},
            {"errno", refusal.errno_value},
            {"reason", valid_utf8(refusal.reason)}};
  }
  static json::object of(const Counters& counters) {
    return {{"imported", counters.imported},
            {"refused", counters.refused},
            {"cancelled", counters.cancelled},
            {"bytes", counters.bytes}};
  }
  template <typename Things>
  static json::array all(const Things& things) {
    json::array array;
    for (const auto& thing : things) array.emplace_back(of(thing));
    return array;
  }
};

Status::Status(std::shared_ptr<const blobstore::Store> store) : store_(std::move(store)) {}

Status::Id Status::arrived(std::string file, uid_t user, Progress progress) {
  const std::lock_guard lock(mutex_);
  arrivals_.emplace(++last_id_,
                    Arrival{std::move(file), user, std::time(nullptr), std::move(progress)});
  return last_id_;
}

void Status::renamed(Id id, std::string file) {
  const std::lock_guard lock(mutex_);
  if (const auto at = arrivals_.find(id); at != arrivals_.end()) at->second.file = std::move(file);
}

void Status::imported(Id id, const importer::Outcome& outcome) {
  const std::lock_guard lock(mutex_);
  const auto ended = arrivals_.extract(id);
  if (!ended) return;
  Arrival& arrival = ended.mapped();
  ++counters_.imported;
  if (arrival.progress) counters_.bytes += arrival.progress().bytes;
  push_bounded(imported_, {std::move(arrival.file), arrival.user, std::time(nullptr),
                           outcome.images, outcome.notes});
}

void Status::refused(Id id, const Error& error) {
  const std::lock_guard lock(mutex_);
  const auto ended = arrivals_.extract(id);
  if (!ended) return;
  remember({std::move(ended.mapped().file), ended.mapped().user, std::time(nullptr),
            error.errno_value(), error.sentence()});
}

void Status::cancelled(Id id) {
  const std::lock_guard lock(mutex_);
  if (arrivals_.erase(id) > 0) ++counters_.cancelled;
}

void Status::refused(std::string file, uid_t user, const Error& error) {
  const std::lock_guard lock(mutex_);
  remember({std::move(file), user, std::time(nullptr), error.errno_value(), error.sentence()});
}

void Status::remember(Refused refusal) {
  ++counters_.refused;
  push_bounded(refused_, std::move(refusal));
}

std::string Status::render() const {
  json::object document;
  try {
    document["images"] = store_->read_index().images().size();
    for (const auto& [key, value] : blob_totals(*store_)) document[key] = value;
  } catch (const Error& error) {
    // Another tool is rewriting index.json, say: what is known without it is still told.
    document["store"] = valid_utf8(error.sentence());
  }
  const std::lock_guard lock(mutex_);
  json::array arriving;
  for (const auto& [id, arrival] : arrivals_) arriving.emplace_back(Json::of(arrival));
  document["importing"] = std::move(arriving);
  document["imported"] = Json::all(imported_);
  document["refused"] = Json::all(refused_);
  document["counters"] = Json::of(counters_);
  return write_lines(document);
}

}  // namespace imagefs::fs
