#include "fs/mount_options.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <functional>
#include <limits>
#include <string_view>
#include <unordered_map>

#include "blobstore/error.h"
#include "fs/quantity.h"

namespace imagefs::fs {
namespace {

using Value = std::string_view;
using Setter = std::function<void(MountOptions&, const std::string& option, Value)>;

// What mount(8) and systemd pass to every helper, and what always holds (nosuid, nodev).
constexpr std::array<std::string_view, 20> kIgnored = {
    "dev",   "nodev",   "suid",   "nosuid",   "exec",      "atime", "diratime",
    "async", "auto",    "noauto", "user",     "nouser",    "users", "owner",
    "group", "_netdev", "nofail", "defaults", "symfollow", ""};

// What the kernel does for any filesystem, and default_permissions, which it does for FUSE.
constexpr std::array<std::string_view, 17> kForKernel = {"noexec",
                                                         "noatime",
                                                         "nodiratime",
                                                         "relatime",
                                                         "norelatime",
                                                         "strictatime",
                                                         "nostrictatime",
                                                         "lazytime",
                                                         "nolazytime",
                                                         "nosymfollow",
                                                         "sync",
                                                         "dirsync",
                                                         "default_permissions",
                                                         "context",
                                                         "fscontext",
                                                         "defcontext",
                                                         "rootcontext"};

bool is_ignored(std::string_view name) {
  return std::ranges::find(kIgnored, name) != kIgnored.end() || name == "comment" ||
         name == "uhelper" || name == "helper" || name.starts_with("x-") || name.starts_with("X-");
}

[[noreturn]] void refuse(const std::string& option, const std::string& why) {
  throw Error(EINVAL, "mount option " + option + ": " + why);
}

std::uint64_t count(const std::string& option, Value value, std::uint64_t most) {
  const auto parsed = parse_count(value);
  if (!parsed || *parsed > most) {
    refuse(option, "a whole number of at most " + std::to_string(most) + " is needed");
  }
  return *parsed;
}

std::uint64_t size(const std::string& option, Value value) {
  const auto parsed = parse_size(value);
  if (!parsed) refuse(option, "a size in bytes, or with K, M, G or T, is needed");
  return *parsed;
}

std::uint64_t seconds(const std::string& option, Value value) {
  const auto parsed = parse_duration(value);
  if (!parsed) refuse(option, "a time in seconds, or with s, m, h or d, is needed");
  return static_cast<std::uint64_t>(parsed->count());
}

mode_t umask_bits(const std::string& option, Value value) {
  unsigned bits = 0;
  const auto result = std::from_chars(value.begin(), value.end(), bits, 8);
  if (result.ec != std::errc() || result.ptr != value.end() || bits > 0777) {
    refuse(option, "octal digits of at most 777 are needed");
  }
  return bits;
}

std::filesystem::path directory(const std::string& option, Value value) {
  if (value.empty()) refuse(option, "a directory is needed");
  return std::filesystem::absolute(value);
}

blobstore::Platform platform(const std::string& option, Value value) {
  try {
    return blobstore::Platform::parse(std::string(value)).normalised();
  } catch (const Error& error) {
    refuse(option, error.sentence());
  }
}

template <typename Member>
Setter limit_in_bytes(Member member) {
  return [member](MountOptions& to, const std::string& option, Value value) {
    to.limits.*member = size(option, value);
  };
}

template <typename Number>
Setter limit_by_count(Number importer::Limits::* member) {
  return [member](MountOptions& to, const std::string& option, Value value) {
    to.limits.*member =
        static_cast<Number>(count(option, value, std::numeric_limits<Number>::max()));
  };
}

// Options with a value: name=VALUE.
const std::unordered_map<std::string_view, Setter>& valued_options() {
  using importer::Limits;
  constexpr std::uint64_t kLastId = std::numeric_limits<uid_t>::max() - 1;  // -1 is "no id"
  static const std::unordered_map<std::string_view, Setter> options = {
      {"uid", [](auto& to, auto& o, auto v) { to.uid = static_cast<uid_t>(count(o, v, kLastId)); }},
      {"gid", [](auto& to, auto& o, auto v) { to.gid = static_cast<gid_t>(count(o, v, kLastId)); }},
      {"umask", [](auto& to, auto& o, auto v) { to.umask = umask_bits(o, v); }},
      {"drop", [](auto& to, auto& o, auto v) { to.drop = directory(o, v); }},
      {"platform", [](auto& to, auto& o, auto v) { to.platform = platform(o, v); }},
      {"max_imports", [](auto& to, auto& o, auto v) { to.max_imports = count(o, v, 100'000); }},
      {"idle_timeout", [](auto& to, auto& o, auto v) { to.idle_timeout = seconds(o, v); }},
      {"min_free", limit_in_bytes(&Limits::min_free)},
      {"max_json", limit_in_bytes(&Limits::max_json)},
      {"max_config", limit_in_bytes(&Limits::max_config)},
      {"max_layer", limit_in_bytes(&Limits::max_layer)},
      {"max_archive", limit_in_bytes(&Limits::max_archive)},
      {"ratio_after", limit_in_bytes(&Limits::ratio_after)},
      {"max_ratio", limit_by_count(&Limits::max_ratio)},
      {"max_entries", limit_by_count(&Limits::max_entries)},
      {"max_layers", limit_by_count(&Limits::max_layers)},
      {"max_manifests", limit_by_count(&Limits::max_manifests)},
      {"max_depth", limit_by_count(&Limits::max_depth)},
      {"max_names", limit_by_count(&Limits::max_names)},
  };
  return options;
}

void apply(const std::string& option, MountOptions& to) {
  const std::size_t equals = option.find('=');
  const std::string name = option.substr(0, equals);
  if (option == "ro" || option == "rw") {
    to.read_only = option == "ro";
  } else if (option == "allow_other") {
    to.allow_other = true;
  } else if (std::ranges::find(kForKernel, name) != kForKernel.end()) {
    to.kernel_options.push_back(option);
  } else if (const auto found = valued_options().find(name); found != valued_options().end()) {
    if (equals == std::string::npos) refuse(name, "a value is needed: " + name + "=…");
    found->second(to, option, Value(option).substr(equals + 1));
  } else if (!is_ignored(name)) {
    refuse(option, "there is no such option");
  }
}

// Splits at commas that are neither between double quotes (context="…") nor after a backslash.
std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> parts(1);
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\\' && i + 1 < text.size()) {
      parts.back() += text[++i];
    } else if (c == '"') {
      quoted = !quoted;
      parts.back() += c;
    } else if (c == ',' && !quoted) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

}  // namespace

void MountOptions::parse(const std::string& text, MountOptions& options) {
  for (const std::string& option : split(text)) apply(option, options);
}

}  // namespace imagefs::fs
