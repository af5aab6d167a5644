// The entries of an index.json, found by name and by digest.
#pragma once

#include <boost/json/fwd.hpp>
#include <boost/json/value.hpp>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace imagefs::blobstore {

// An entry is what stands there, be it a descriptor or not.
struct IndexEntry {
  boost::json::value value;
  std::optional<std::string> name;  // normalised
  std::string digest;               // as it is written

  // Nothing when there is no such annotation.
  [[nodiscard]] std::string_view annotation(std::string_view key) const;
  [[nodiscard]] boost::json::object& writable_annotations();
};

class IndexEntries {
 public:
  using Place = std::list<IndexEntry>::iterator;

  void push_back(boost::json::value value);
  void erase(Place place);
  // Its name is no longer its own.
  void take_name(Place place);

  // In their order.
  [[nodiscard]] std::vector<Place> named(const std::string& name) const;
  [[nodiscard]] std::vector<Place> with_digest(const std::string& digest) const;
  [[nodiscard]] const std::list<IndexEntry>& all() const noexcept { return entries_; }

 private:
  using Places = std::unordered_map<std::string, std::vector<Place>>;

  std::list<IndexEntry> entries_;
  Places by_name_;
  Places by_digest_;
};

}  // namespace imagefs::blobstore
