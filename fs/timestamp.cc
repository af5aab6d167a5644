#include "fs/timestamp.h"

#include <array>
#include <charconv>
#include <string_view>

namespace imagefs::fs {
namespace {

// Takes ".123" off `text`: nanoseconds.
long take_fraction(std::string_view& text) {
  if (!text.starts_with('.')) return 0;
  text.remove_prefix(1);
  long nanoseconds = 0;
  for (long unit = 100'000'000; !text.empty() && text[0] >= '0' && text[0] <= '9'; unit /= 10) {
    nanoseconds += (text[0] - '0') * unit;
    text.remove_prefix(1);
  }
  return nanoseconds;
}

// "Z" or "+01:30": seconds east of UTC.
std::optional<long> parse_zone(std::string_view text) {
  if (text == "Z" || text == "z") return 0;
  if (text.size() != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':') return std::nullopt;
  int hours = 0;
  int minutes = 0;
  const auto read = [](std::string_view digits, int& into) {
    const auto end = std::from_chars(digits.data(), digits.data() + digits.size(), into);
    return end.ec == std::errc() && end.ptr == digits.data() + digits.size() && into >= 0;
  };
  if (!read(text.substr(1, 2), hours) || !read(text.substr(4), minutes)) return std::nullopt;
  const long seconds = hours * 3600L + minutes * 60L;
  return text[0] == '+' ? seconds : -seconds;
}

}  // namespace

std::optional<timespec> parse_timestamp(const std::string& text) {
  std::tm fields = {};
  const char* rest = ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &fields);
  if (rest == nullptr) return std::nullopt;
  std::string_view tail(rest);
  const long nanoseconds = take_fraction(tail);
  const auto zone = parse_zone(tail);
  if (!zone) return std::nullopt;
  return timespec{.tv_sec = ::timegm(&fields) - *zone, .tv_nsec = nanoseconds};
}

std::string format_timestamp(std::time_t time) {
  std::tm fields = {};
  ::gmtime_r(&time, &fields);
  std::array<char, 64> buffer{};
  const std::size_t size =
      std::strftime(buffer.data(), buffer.size(), "%Y-%m-%dT%H:%M:%SZ", &fields);
  return {buffer.data(), size};
}

}  // namespace imagefs::fs
