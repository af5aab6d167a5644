#include "blobstore/platform.h"

#include <boost/test/unit_test.hpp>
#include <string>

#include "blobstore/error.h"

namespace imagefs::blobstore {
namespace {

Platform platform(const std::string& os, const std::string& architecture,
                  const std::string& variant = "") {
  return {.os = os,
          .architecture = architecture,
          .variant = variant,
          .os_version = {},
          .os_features = {}};
}

BOOST_AUTO_TEST_SUITE(platforms)

BOOST_AUTO_TEST_CASE(platforms_are_normalised_as_containerd_does) {
  const auto normal = [](const std::string& architecture, const std::string& variant) {
    return platform("linux", architecture, variant).normalised().str();
  };
  BOOST_TEST(normal("x86_64", "") == "linux/amd64");
  BOOST_TEST(normal("amd64", "v1") == "linux/amd64");
  BOOST_TEST(normal("amd64", "v3") == "linux/amd64/v3");
  BOOST_TEST(normal("aarch64", "") == "linux/arm64");
  BOOST_TEST(normal("arm64", "v8") == "linux/arm64");
  BOOST_TEST(normal("arm64", "9") == "linux/arm64/v9");
  BOOST_TEST(normal("arm", "") == "linux/arm/v7");
  BOOST_TEST(normal("arm", "6") == "linux/arm/v6");
  BOOST_TEST(normal("armel", "") == "linux/arm/v6");
  BOOST_TEST(normal("i386", "") == "linux/386");
  BOOST_TEST(platform("macOS", "ARM64").normalised().str() == "darwin/arm64");
}

BOOST_AUTO_TEST_CASE(what_is_not_known_is_called_unknown) {
  BOOST_TEST(platform("", "").str() == "unknown/unknown");
  BOOST_TEST(platform("", "").normalised().str() == "linux/unknown");
}

BOOST_AUTO_TEST_CASE(version_and_features_of_an_os_are_kept) {
  Platform windows = platform("Windows", "x86_64");
  windows.os_version = "10.0.17763.1";
  windows.os_features = {"win32k"};
  BOOST_TEST(windows.normalised().os_version == "10.0.17763.1");
  BOOST_TEST(windows.normalised().os_features == windows.os_features);
}

BOOST_AUTO_TEST_CASE(a_platform_is_parsed_from_its_text) {
  BOOST_TEST(Platform::parse("linux/aarch64").str() == "linux/arm64");
  BOOST_TEST(Platform::parse("linux/arm/v6").str() == "linux/arm/v6");
  BOOST_TEST(Platform::parse("linux").architecture == Platform::host().architecture);
  for (const char* text : {"", "/", "linux/", "/amd64", "a/b/c/d", "li nux/amd64", "../x"}) {
    BOOST_CHECK_THROW((void)Platform::parse(text), Error);
  }
}

BOOST_AUTO_TEST_CASE(a_machine_takes_older_variants_and_prefers_the_newest) {
  const Platform arm = platform("linux", "arm", "v7");
  BOOST_TEST(arm.fit(platform("linux", "arm", "v7")) > arm.fit(platform("linux", "arm", "v6")));
  BOOST_TEST(arm.fit(platform("linux", "arm", "v6")) > arm.fit(platform("linux", "arm", "v5")));
  BOOST_TEST(arm.fit(platform("linux", "arm", "v5")) > 0);
  BOOST_TEST(arm.fit(platform("linux", "arm", "v8")) == 0);
  BOOST_TEST(arm.fit(platform("linux", "arm64")) == 0);
  const Platform amd64 = platform("linux", "amd64");
  BOOST_TEST(amd64.fit(platform("linux", "amd64")) > amd64.fit(platform("linux", "386")));
  BOOST_TEST(amd64.fit(platform("linux", "amd64", "v3")) == 0);
  BOOST_TEST(platform("linux", "amd64", "v3").fit(amd64) > 0);
  BOOST_TEST(amd64.fit(platform("windows", "amd64")) == 0);
  BOOST_TEST(platform("linux", "arm64").fit(arm) > 0);
}

BOOST_AUTO_TEST_CASE(this_machine_fits_itself) {
  const Platform host = Platform::host();
  BOOST_TEST(host.os == "linux");
  BOOST_TEST(host.fit(host) > 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace imagefs::blobstore
