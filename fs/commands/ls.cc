#include <algorithm>
#include <boost/json.hpp>
#include <iostream>

#include "fs/commands/commands.h"
#include "fs/commands/image_summary.h"
#include "fs/commands/text.h"
#include "fs/quantity.h"

namespace imagefs::fs::commands {
namespace {

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ",") + word;
  return text.empty() ? "-" : text;
}

// Without the fraction of a second.
std::string shown_time(std::string time) {
  const std::size_t point = std::min(time.find('.'), time.size());
  return time.erase(point, time.find_first_not_of("0123456789", point + 1) - point);
}

Row row(const ImageSummary& summary) {
  const auto& [image, platforms, size, problem] = summary;
  const std::string name = image.name.value_or("<none>");
  if (problem) report(name + ": " + *problem);
  return {printable(name), image.descriptor.digest.str(),
          problem ? "?" : printable(joined(platforms)), problem ? "?" : format_size(size),
          image.imported.empty() ? "-" : printable(shown_time(image.imported))};
}

boost::json::object to_json(const ImageSummary& summary) {
  const auto& image = summary.image;
  const auto text_or_null = [](const std::string& text) {
    return text.empty() ? boost::json::value() : boost::json::value(text);
  };
  boost::json::object object = {
      {"name", text_or_null(image.name.value_or(""))},
      {"digest", image.descriptor.digest.str()},
      {"mediaType", image.descriptor.media_type},
      {"platforms", boost::json::array(summary.platforms.begin(), summary.platforms.end())},
      {"size", summary.size},
      {"imported", text_or_null(image.imported)},
      {"superseded", text_or_null(image.superseded)}};
  if (summary.problem) object["problem"] = *summary.problem;
  return object;
}

}  // namespace

int ls(const Path& store, bool json) {
  const auto summaries =
      summarise(blobstore::Store::open(store, blobstore::Store::Access::read_only));
  if (json) {
    boost::json::array list;
    for (const ImageSummary& summary : summaries) list.push_back(to_json(summary));
    std::cout << boost::json::serialize(list) << '\n';
    return 0;
  }
  std::vector<Row> rows = {{"NAME", "DIGEST", "PLATFORM", "SIZE", "IMPORTED"}};
  for (const ImageSummary& summary : summaries) rows.push_back(row(summary));
  std::cout << aligned(rows);
  return 0;
}

}  // namespace imagefs::fs::commands
