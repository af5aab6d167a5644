#include "blobstore/platform.h"

#include <sys/utsname.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>
#include <utility>

#include "blobstore/error.h"

namespace imagefs::blobstore {
namespace {

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return text;
}

bool one_of(const std::string& text, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

void normalise_arm64(Platform& platform) {
  platform.architecture = "arm64";
  if (one_of(platform.variant, {"8", "v8", "v8.0"})) platform.variant.clear();
  if (one_of(platform.variant, {"9", "9.0", "v9.0"})) platform.variant = "v9";
}

void normalise_arm(Platform& platform) {
  if (one_of(platform.variant, {"", "7"})) platform.variant = "v7";
  if (one_of(platform.variant, {"5", "6", "8"})) platform.variant.insert(0, "v");
}

void normalise_architecture(Platform& platform) {
  const std::string& architecture = platform.architecture;
  if (architecture == "i386") {
    platform.architecture = "386";
    platform.variant.clear();
  } else if (one_of(architecture, {"x86_64", "x86-64", "amd64"})) {
    platform.architecture = "amd64";
    if (platform.variant == "v1") platform.variant.clear();
  } else if (one_of(architecture, {"aarch64", "arm64"})) {
    normalise_arm64(platform);
  } else if (architecture == "armhf") {
    platform.architecture = "arm";
    platform.variant = "v7";
  } else if (architecture == "armel") {
    platform.architecture = "arm";
    platform.variant = "v6";
  } else if (architecture == "arm") {
    normalise_arm(platform);
  }
}

// What uname(2) calls a machine, in Go's words (GOARCH), where normalised() does not know it.
std::pair<std::string, std::string> from_machine(const std::string& machine) {
  if (one_of(machine, {"i486", "i586", "i686"})) return {"386", ""};
  if (machine.starts_with("armv8")) return {"arm", "v8"};
  if (machine.starts_with("armv7")) return {"arm", "v7"};
  if (machine.starts_with("armv6")) return {"arm", "v6"};
  if (machine.starts_with("armv5")) return {"arm", "v5"};
  if (machine == "loongarch64") return {"loong64", ""};
  return {machine, ""};
}

using Machine = std::pair<std::string, std::string>;  // architecture, variant

void add_older_variants(std::vector<Machine>& machines, const std::string& architecture,
                        const std::string& variant, char oldest) {
  if (variant.size() != 2 || variant[0] != 'v') return;
  for (char version = variant[1]; version-- > oldest;) {
    machines.emplace_back(architecture, std::string{'v', version});
  }
}

// What runs on `wanted`, the best first: the vector of containerd's platforms.Only.
std::vector<Machine> runnable(const Platform& wanted) {
  std::vector<Machine> machines{{wanted.architecture, wanted.variant}};
  if (wanted.architecture == "amd64") {
    add_older_variants(machines, "amd64", wanted.variant, '2');
    if (!wanted.variant.empty()) machines.emplace_back("amd64", "");
    machines.emplace_back("386", "");
  } else if (wanted.architecture == "arm") {
    add_older_variants(machines, "arm", wanted.variant, '5');
  } else if (wanted.architecture == "arm64") {
    if (!wanted.variant.empty()) machines.emplace_back("arm64", "");
    machines.emplace_back("arm", "v8");
    add_older_variants(machines, "arm", "v8", '5');
  }
  return machines;
}

bool is_alnum(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_word(std::string_view text) {
  return !text.empty() && is_alnum(text.front()) &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return is_alnum(c) || c == '_' || c == '.' || c == '-'; });
}

}  // namespace

Platform Platform::normalised() const {
  Platform result = *this;
  result.os = lower(os);
  if (result.os.empty()) result.os = "linux";
  if (result.os == "macos") result.os = "darwin";
  result.architecture = lower(architecture);
  result.variant = lower(variant);
  normalise_architecture(result);
  return result;
}

std::string Platform::str() const {
  const auto part = [](const std::string& text) { return text.empty() ? "unknown" : text; };
  std::string text = part(os) + "/" + part(architecture);
  if (!variant.empty()) text += "/" + variant;
  return text;
}

Platform Platform::parse(const std::string& text) {
  std::vector<std::string> words;
  for (std::size_t start = 0; start <= text.size();) {
    const std::size_t end = std::min(text.find('/', start), text.size());
    words.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  if (words.size() > 3 || !std::all_of(words.begin(), words.end(), is_word)) {
    throw Error(EINVAL, "\"" + text + "\" is no platform: <os>[/<architecture>[/<variant>]]");
  }
  Platform platform = host();
  platform.os = words[0];
  if (words.size() > 1) {
    platform.architecture = words[1];
    platform.variant = words.size() > 2 ? words[2] : "";
  }
  return platform.normalised();
}

Platform Platform::host() {
  utsname system{};
  if (::uname(&system) != 0) throw_errno("uname");
  auto [architecture, variant] = from_machine(system.machine);
  return Platform{.os = "linux",
                  .architecture = std::move(architecture),
                  .variant = std::move(variant),
                  .os_version = {},
                  .os_features = {}}
      .normalised();
}

int Platform::fit(const Platform& image) const {
  if (os != image.os) return 0;
  const std::vector<Machine> machines = runnable(*this);
  const auto found =
      std::find(machines.begin(), machines.end(), Machine{image.architecture, image.variant});
  return static_cast<int>(machines.end() - found);
}

}  // namespace imagefs::blobstore
