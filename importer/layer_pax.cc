#include "importer/layer_pax.h"

#include <cerrno>
#include <charconv>
#include <limits>

#include "blobstore/error.h"

namespace imagefs::importer {
namespace {

constexpr std::string_view kDigits = "0123456789";
constexpr std::uint32_t kNanosecond = 1'000'000'000;
constexpr std::size_t kFractionDigits = 9;

[[noreturn]] void malformed(const std::string& what) {
  throw Error(EBADMSG, "a PAX header is malformed: " + what);
}

struct Record {
  std::string_view key;
  std::string_view value;
};

bool names_something(std::string_view key) {
  return key == "path" || key == "linkpath" || key == "uname" || key == "gname";
}

void check(const Record& record) {
  if (record.key.empty()) malformed("a record without a keyword");
  const std::string_view clean = names_something(record.key) ? record.value : record.key;
  if (clean.find('\0') != std::string_view::npos) malformed("a NUL in a name");
}

// Takes "<length> <key>=<value>\n" off the front of `text`.
Record take_record(std::string_view& text) {
  const std::size_t space = text.find(' ');
  if (space == std::string_view::npos) malformed("a record without a length");
  const std::int64_t length = parse_decimal(text.substr(0, space));
  if (length < 5 || static_cast<std::uint64_t>(length) > text.size() ||
      static_cast<std::uint64_t>(length) < space + 2) {
    malformed("a record of length " + std::to_string(length));
  }
  const std::string_view record =
      text.substr(space + 1, static_cast<std::size_t>(length) - space - 1);
  text.remove_prefix(static_cast<std::size_t>(length));
  if (!record.ends_with('\n')) malformed("a record that does not end with a newline");
  const std::size_t equals = record.find('=');
  if (equals == std::string_view::npos) malformed("a record without '='");
  const Record parsed{record.substr(0, equals),
                      record.substr(equals + 1, record.size() - equals - 2)};
  check(parsed);
  return parsed;
}

// Collects what GNU sparse 0.0 says in pairs of records.
class SparseMap {
 public:
  // False when the record is no part of a map.
  bool take(const Record& record) {
    const bool offset = record.key == "GNU.sparse.offset";
    if (!offset && record.key != "GNU.sparse.numbytes") return false;
    if (offset == half_ || record.value.find(',') != std::string_view::npos) {
      malformed("a sparse map that is not in pairs");
    }
    half_ = offset;
    if (!text_.empty()) text_ += ',';
    text_ += record.value;
    return true;
  }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
  bool half_ = false;
};

std::uint32_t parse_fraction(std::string_view digits) {
  if (digits.find_first_not_of(kDigits) != std::string_view::npos) malformed("a time that is none");
  std::string nine(digits.substr(0, kFractionDigits));
  nine.resize(kFractionDigits, '0');
  return static_cast<std::uint32_t>(std::stoul(nine));
}

std::int64_t parse_seconds(std::string_view text) {
  const std::size_t first = text.find_first_not_of("+-");
  const bool all_digits =
      first <= 1 && text.find_first_not_of(kDigits, first) == std::string_view::npos;
  if (!all_digits) malformed("a time that is none");
  try {
    return parse_decimal(text);
  } catch (const Error&) {
    using Limits = std::numeric_limits<std::int64_t>;
    return text[0] == '-' ? Limits::min() + 1 : Limits::max();
  }
}

}  // namespace

PaxRecords parse_pax(std::string_view text) {
  PaxRecords records;
  SparseMap map;
  while (!text.empty()) {
    const Record record = take_record(text);
    if (!map.take(record))
      records.insert_or_assign(std::string(record.key), std::string(record.value));
  }
  if (!map.text().empty()) records.insert_or_assign("GNU.sparse.map", map.text());
  return records;
}

std::optional<std::string_view> find_pax(const PaxRecords& records, std::string_view key) {
  const auto found = records.find(key);
  if (found == records.end() || found->second.empty()) return std::nullopt;
  return found->second;
}

std::int64_t parse_decimal(std::string_view text) {
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    throw Error(EBADMSG, "a PAX header has a number that is malformed or too large");
  }
  return value;
}

TarTime parse_pax_time(std::string_view text) {
  const std::size_t dot = text.find('.');
  TarTime time{.seconds = parse_seconds(text.substr(0, dot))};
  if (dot != std::string_view::npos) time.nanoseconds = parse_fraction(text.substr(dot + 1));
  if (text[0] == '-' && time.nanoseconds > 0) {
    --time.seconds;
    time.nanoseconds = kNanosecond - time.nanoseconds;
  }
  return time;
}

}  // namespace imagefs::importer
