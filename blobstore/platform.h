// The platform an image is for, as the OCI image-spec describes it in configs and descriptors.
#pragma once

#include <string>
#include <vector>

namespace imagefs::blobstore {

struct Platform {
  std::string os;
  std::string architecture;
  std::string variant = {};
  std::string os_version = {};
  std::vector<std::string> os_features = {};

  auto operator<=>(const Platform&) const = default;

  // As containerd's platforms.Normalize: x86_64 -> amd64, aarch64 -> arm64 without v8, arm without
  // variant -> v7, macos -> darwin, an empty os -> linux, all in lower case.
  [[nodiscard]] Platform normalised() const;
  // "<os>/<architecture>[/<variant>]"; "unknown" for an empty part.
  [[nodiscard]] std::string str() const;
  // "<os>[/<architecture>[/<variant>]]"; throws Error{EINVAL}.
  [[nodiscard]] static Platform parse(const std::string& text);
  // This machine's.
  [[nodiscard]] static Platform host();
  // Whether an image for `image` runs where `this` is wanted; both normalised. Higher fits better,
  // 0 does not fit (arm v7 also takes v6 and v5, as in containerd's platforms.Only).
  [[nodiscard]] int fit(const Platform& image) const;
};

}  // namespace imagefs::blobstore
