#include "blobstore/documents.h"

#include <boost/test/unit_test.hpp>
#include <string>

#include "blobstore/error.h"

namespace imagefs::blobstore {
namespace {

const std::string kHex(64, 'a');

std::string descriptor(const std::string& digest = "sha256:" + kHex, const std::string& size = "7",
                       const std::string& type = media_type::kOciConfig) {
  return R"({"mediaType":")" + type + R"(","digest":")" + digest + R"(","size":)" + size + "}";
}

std::string manifest(const std::string& config = descriptor(), const std::string& extra = "",
                     const std::string& layer_type = media_type::kDockerLayerGzip) {
  return R"({"schemaVersion":2,"config":)" + config + R"(,"layers":[)" +
         descriptor("sha256:" + kHex, "7", layer_type) + "]" + extra + "}";
}

int errno_of(const std::string& text, const std::string& declared = "") {
  try {
    (void)parse_document(text, declared, "the manifest");
    return 0;
  } catch (const Error& error) {
    BOOST_TEST(error.sentence().starts_with("the manifest"), error.sentence());
    return error.errno_value();
  }
}

BOOST_AUTO_TEST_SUITE(documents)

BOOST_AUTO_TEST_CASE(a_manifest_is_read) {
  const auto read =
      std::get<Manifest>(parse_document(manifest(), media_type::kDockerManifest, "m"));
  BOOST_TEST(read.media_type == media_type::kDockerManifest);
  BOOST_TEST(read.config.digest.hex() == kHex);
  BOOST_TEST(read.config.size == 7U);
  BOOST_TEST(read.layers.size() == 1U);
  BOOST_TEST(read.is_image());
}

BOOST_AUTO_TEST_CASE(an_artifact_is_no_image) {
  const auto read = std::get<Manifest>(parse_document(
      manifest(descriptor("sha256:" + kHex, "2", "application/vnd.oci.empty.v1+json"),
               R"(,"artifactType":"text/x","subject":)" + descriptor()),
      "", "m"));
  BOOST_TEST(!read.is_image());
  BOOST_TEST(read.artifact_type == "text/x");
  BOOST_TEST(read.subject.has_value());
}

BOOST_AUTO_TEST_CASE(an_image_has_layers_of_files) {
  const auto is_image = [](const std::string& layer_type) {
    return std::get<Manifest>(parse_document(manifest(descriptor(), "", layer_type), "", "m"))
        .is_image();
  };
  const std::string oci = "application/vnd.oci.image.layer.";
  for (const std::string& type :
       {oci + "v1.tar", oci + "v1.tar+gzip", oci + "v1.tar+zstd",
        oci + "nondistributable.v1.tar+gzip",
        std::string("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip")}) {
    BOOST_TEST(is_image(type), type);
  }
  for (const std::string& type :
       {oci + "v1.tar+gzip+encrypted", oci + "squashfs", oci + "nydus.blob.v1",
        std::string("application/vnd.in-toto+json"),
        std::string("application/vnd.dev.cosign.simplesigning.v1+json")}) {
    BOOST_TEST(!is_image(type), type);
  }
}

BOOST_AUTO_TEST_CASE(an_index_is_read_with_platforms_annotations_and_urls) {
  const std::string text =
      R"({"schemaVersion":2,"manifests":[{"mediaType":"a/b","digest":"sha256:)" + kHex +
      R"(","size":9223372036854775807,"urls":["http://x"],
      "platform":{"os":"windows","architecture":"arm","variant":"v6","os.version":"1",
      "os.features":["f"]},"annotations":{"k":"v"}}]})";
  const auto read = std::get<ImageIndex>(parse_document(text, "", "m"));
  BOOST_TEST_REQUIRE(read.manifests.size() == 1U);
  const Descriptor& entry = read.manifests[0];
  BOOST_TEST(entry.size == 9223372036854775807U);
  BOOST_TEST(entry.platform->str() == "windows/arm/v6");
  BOOST_TEST(entry.platform->os_version == "1");
  BOOST_TEST(entry.platform->os_features.size() == 1U);
  BOOST_TEST(entry.annotations.at("k") == "v");
  BOOST_TEST(entry.urls.size() == 1U);
  BOOST_TEST(read.media_type == media_type::kOciIndex);
}

BOOST_AUTO_TEST_CASE(a_document_that_is_two_things_is_refused) {
  const std::string both = R"(,"manifests":[])";
  for (const char* type : {"", media_type::kOciManifest, media_type::kOciIndex}) {
    BOOST_TEST(errno_of(manifest(descriptor(), both), type) == EINVAL);
  }
  BOOST_TEST(errno_of(manifest(), media_type::kOciIndex) == EINVAL);
  BOOST_TEST(errno_of(R"({"schemaVersion":2,"manifests":[]})", media_type::kOciManifest) == EINVAL);
  BOOST_TEST(errno_of(R"({"schemaVersion":2,"manifests":[]})", media_type::kOciIndex) == 0);
}

BOOST_AUTO_TEST_CASE(media_types_must_agree) {
  const std::string own = std::string(R"(,"mediaType":")") + media_type::kOciManifest + '"';
  BOOST_TEST(errno_of(manifest(descriptor(), own), media_type::kOciManifest) == 0);
  BOOST_TEST(errno_of(manifest(descriptor(), own), media_type::kDockerManifest) == EINVAL);
  BOOST_TEST(errno_of(manifest(), "text/plain") == EINVAL);
  BOOST_TEST(errno_of(manifest(descriptor(), R"(,"mediaType":"text/plain")")) == EINVAL);
}

BOOST_AUTO_TEST_CASE(bad_digests_and_sizes_are_refused) {
  for (const std::string& digest :
       {std::string("sha256:../../x"), "sha256:" + std::string(63, 'a'),
        "sha256:" + std::string(65, 'a'), "sha256:" + std::string(64, 'A'),
        "sha512:" + std::string(128, 'a'), std::string("md5:") + kHex,
        "sha256:" + std::string(63, 'a') + R"(\u0000)", "sha256:" + std::string(63, 'a') + "/",
        std::string()}) {
    BOOST_TEST(errno_of(manifest(descriptor(digest))) == EINVAL, digest);
  }
  for (const char* size :
       {"-1", "1e3", "18446744073709551616", "9223372036854775808", "\"1\"", "null", "1.5"}) {
    BOOST_TEST(errno_of(manifest(descriptor("sha256:" + kHex, size))) == EINVAL, size);
  }
}

BOOST_AUTO_TEST_CASE(other_shapes_are_refused) {
  for (const char* text :
       {"[]", "null", "{}", "7", R"({"schemaVersion":1,"layers":[]})",
        R"({"schemaVersion":2,"layers":{}})", R"({"schemaVersion":2,"manifests":{}})",
        R"({"schemaVersion":2,"manifests":[null]})", R"({"schemaVersion":2,"Manifests":[]})",
        R"({"schemaVersion":2,"config":[],"layers":[]})"}) {
    BOOST_TEST(errno_of(text) == EINVAL, text);
  }
  BOOST_TEST(errno_of(manifest(descriptor(), R"(,"Config":1)")) == EINVAL);
  BOOST_TEST(errno_of(manifest(descriptor(), R"(,"config":1)")) == EINVAL);
  BOOST_TEST(errno_of(manifest(R"({"mediaType":"x","digest":"sha256:)" + kHex +
                               R"(","size":1,"annotations":{"a":1}})")) == EINVAL);
}

BOOST_AUTO_TEST_CASE(a_config_gives_platform_and_diff_ids) {
  const ImageConfig config = parse_config(
      R"({"os":"linux","architecture":"aarch64","rootfs":{"type":"layers","diff_ids":["sha256:)" +
          kHex + R"("]},"config":{"Env":null}})",
      "config");
  BOOST_TEST(config.platform.architecture == "aarch64");
  BOOST_TEST_REQUIRE(config.diff_ids.size() == 1U);
  BOOST_TEST(config.diff_ids[0].hex() == kHex);
}

BOOST_AUTO_TEST_CASE(a_bare_config_is_a_platform_that_is_unknown) {
  const ImageConfig config = parse_config("{}", "config");
  BOOST_TEST(config.platform.str() == "unknown/unknown");
  BOOST_TEST(config.diff_ids.empty());
}

BOOST_AUTO_TEST_CASE(a_config_of_another_shape_is_refused) {
  for (const char* text : {"[]", R"({"os":1})", R"({"rootfs":[]})",
                           R"({"rootfs":{"diff_ids":"x"}})", R"({"rootfs":{"diff_ids":["x"]}})",
                           R"({"rootfs":{"diff_ids":[1]}})", R"({"OS":"linux"})"}) {
    BOOST_CHECK_THROW((void)parse_config(text, "config"), Error);
  }
}

BOOST_AUTO_TEST_CASE(media_types_are_told_apart) {
  BOOST_TEST(is_index(media_type::kDockerManifestList));
  BOOST_TEST(!is_index(media_type::kDockerManifest));
  BOOST_TEST(is_document(media_type::kDockerManifest));
  BOOST_TEST(!is_document(media_type::kOciConfig));
  BOOST_TEST(!is_document(""));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace imagefs::blobstore
