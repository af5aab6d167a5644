#include "fs/quantity.h"

#include <array>
#include <charconv>
#include <cstdio>
#include <limits>
#include <span>

namespace imagefs::fs {
namespace {

struct Unit {
  char suffix;
  std::uint64_t factor;
};

constexpr std::array kSizes = {Unit{'K', 1ULL << 10}, Unit{'M', 1ULL << 20}, Unit{'G', 1ULL << 30},
                               Unit{'T', 1ULL << 40}};
constexpr std::array kTimes = {Unit{'s', 1}, Unit{'m', 60}, Unit{'h', 3'600}, Unit{'d', 86'400},
                               Unit{'w', 604'800}};

std::optional<std::uint64_t> parse_in(std::span<const Unit> units, std::string_view text,
                                      std::uint64_t most) {
  std::uint64_t factor = 1;
  for (const Unit& unit : units) {
    if (text.ends_with(unit.suffix)) {
      factor = unit.factor;
      text.remove_suffix(1);
      break;
    }
  }
  const auto count = parse_count(text);
  if (!count || *count > most / factor) return std::nullopt;
  return *count * factor;
}

}  // namespace

std::optional<std::uint64_t> parse_count(std::string_view text) {
  std::uint64_t count = 0;
  const auto result = std::from_chars(text.begin(), text.end(), count);
  if (result.ec != std::errc() || result.ptr != text.end()) return std::nullopt;
  return count;
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  return parse_in(kSizes, text, std::numeric_limits<std::uint64_t>::max());
}

std::optional<std::chrono::seconds> parse_duration(std::string_view text) {
  constexpr std::uint64_t kMost = 10'000ULL * 366 * 86'400;  // ten thousand years fit any clock
  const auto seconds = parse_in(kTimes, text, kMost);
  if (!seconds) return std::nullopt;
  return std::chrono::seconds(*seconds);
}

std::string format_size(std::uint64_t bytes) {
  constexpr std::array kNames = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (bytes < 1024) return std::to_string(bytes) + " B";
  auto value = static_cast<double>(bytes) / 1024;
  std::size_t name = 0;
  for (; value >= 1023.95 && name + 1 < kNames.size(); ++name) value /= 1024;
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f %s", value, kNames[name]);
  return text.data();
}

std::string format_duration(std::chrono::seconds duration) {
  const auto seconds = duration.count();
  const auto two = [](auto large, const char* large_unit, auto small, const char* small_unit) {
    return std::to_string(large) + large_unit + std::to_string(small) + small_unit;
  };
  if (seconds < 60) return std::to_string(seconds) + " s";
  if (seconds < 3'600) return two(seconds / 60, " min ", seconds % 60, " s");
  return two(seconds / 3'600, " h ", seconds % 3'600 / 60, " min");
}

}  // namespace imagefs::fs
