// What an index leads to, and how much of it has to be there.
#include <boost/test/unit_test.hpp>
#include <cerrno>

#include "tests/importer/oci_fixture.h"

namespace imagefs::tests {
namespace {

using importer::Outcome;

BOOST_FIXTURE_TEST_SUITE(oci_platforms, ImportFixture)

BOOST_AUTO_TEST_CASE(platforms_may_be_absent_while_one_is_whole) {
  const std::string here = descriptor_of(kOciManifestType, kManifest);
  const std::string gone = descriptor_of(kOciManifestType, "gone");
  for (const auto& children :
       {std::vector{here}, std::vector{gone, here}, std::vector{here, gone, gone}}) {
    const std::string index = index_of(children);
    const Outcome outcome =
        import(archive_of(index, {kBase, kTop, kConfig, kManifest}, kOciIndexType));
    BOOST_TEST(outcome.images.at(0).descriptor.digest.str() == digest_of(index));
    BOOST_TEST(blob(digest_of(index)) == index);
  }
  BOOST_TEST(says(refusal(archive_of(index_of({gone, gone}), {}, kOciIndexType)), ENODATA,
                  "none of its platforms"));
}

BOOST_AUTO_TEST_CASE(a_platform_of_which_nothing_but_the_manifest_is_there_counts_as_absent) {
  const std::string config = R"({"architecture":"arm64"})";
  const std::string arm = oci_manifest(config, {"layer"});
  const std::string index =
      index_of({descriptor_of(kOciManifestType, arm), descriptor_of(kOciManifestType, kManifest)});
  BOOST_TEST(import(archive_of(index, {kBase, kTop, kConfig, kManifest, arm}, kOciIndexType))
                 .images.size() == 1U);
  BOOST_TEST(says(
      refusal(archive_of(index, {kBase, kTop, kConfig, kManifest, arm, config}, kOciIndexType)),
      ENODATA, digest_of("layer")));
}

// What other platforms share with one that is there does not make them there.
BOOST_AUTO_TEST_CASE(a_platform_that_shares_a_layer_counts_as_absent) {
  const std::string config = R"({"architecture":"arm64"})";
  const std::string arm = oci_manifest(config, {kBase, "layer"});
  for (const bool first : {false, true}) {
    const std::string here = descriptor_of(kOciManifestType, kManifest);
    const std::string shares = descriptor_of(kOciManifestType, arm);
    const std::string index = first ? index_of({shares, here}) : index_of({here, shares});
    import(archive_of(index, {kBase, kTop, kConfig, kManifest, arm}, kOciIndexType));
    BOOST_TEST(!store->open_blob(*blobstore::Digest::parse(digest_of(arm))));
    BOOST_TEST(store->verify().size() == 0U);
  }
}

// The platforms that are absent before the end may be on their way.
BOOST_AUTO_TEST_CASE(absent_platforms_need_the_end_of_the_archive) {
  const std::string index = index_of(
      {descriptor_of(kOciManifestType, kManifest), descriptor_of(kOciManifestType, "on its way")});
  const std::string archive = archive_of(index, {kBase, kTop, kConfig, kManifest}, kOciIndexType);
  BOOST_TEST(import(archive).images.size() == 1U);
  const std::string cut = archive.substr(0, archive.size() - 1024);
  BOOST_TEST(says(refusal(cut), ENODATA, digest_of("on its way")));
}

BOOST_AUTO_TEST_CASE(an_attestation_is_no_platform) {
  const std::string about =
      R"(,"annotations":{"vnd.docker.reference.type":"attestation-manifest"})";
  const std::string gone = descriptor_of(kOciManifestType, "gone");
  const std::string index = index_of({gone, descriptor_of(kOciManifestType, kManifest, about)});
  BOOST_TEST(says(refusal(archive_of(index, {kBase, kTop, kConfig, kManifest}, kOciIndexType)),
                  ENODATA, "none of its platforms"));
}

BOOST_AUTO_TEST_CASE(a_document_that_is_called_two_things_is_refused) {
  const auto docker = "application/vnd.docker.distribution.manifest.v2+json";
  const std::string index =
      oci_index({descriptor_of(kOciManifestType, kManifest), descriptor_of(docker, kManifest)});
  BOOST_TEST(says(refusal(blobs().with_index(index).str()), EINVAL, docker));
}

BOOST_AUTO_TEST_CASE(what_a_manifest_refers_to_must_be_there) {
  BOOST_TEST(says(refusal(archive_of(kManifest, {kBase, kConfig})), ENODATA, digest_of(kTop)));
  BOOST_TEST(says(refusal(archive_of(kManifest, {kBase, kTop})), ENODATA, digest_of(kConfig)));
  BOOST_TEST(says(refusal(OciWriter().blob(kBase).with_index(flat_index()).str()), ENODATA,
                  digest_of(kManifest)));
}

BOOST_AUTO_TEST_CASE(a_foreign_layer_may_be_absent) {
  const std::string layer =
      descriptor_of(kOciLayerType, kBase, R"(,"urls":["https://foreign.example/base"])");
  const std::string config = config_for({kBase});
  const std::string manifest = R"({"schemaVersion":2,"config":)" +
                               descriptor_of(kOciConfigType, config) + R"(,"layers":[)" + layer +
                               "]}";
  BOOST_TEST(import(archive_of(manifest, {config})).images.size() == 1U);
}

BOOST_AUTO_TEST_CASE(indexes_nest_up_to_the_limit) {
  const auto nested = [](int depth) {
    std::string document = kManifest;
    std::string type = kOciManifestType;
    std::vector<std::string> others{kBase, kTop, kConfig};
    for (int i = 0; i < depth; ++i) {
      others.push_back(document);
      document = index_of({descriptor_of(type, document)});
      type = kOciIndexType;
    }
    return archive_of(document, others, type);
  };
  BOOST_TEST(import(nested(3)).images.size() == 1U);
  BOOST_TEST(import(nested(8)).images.size() == 1U);
  BOOST_TEST(says(refusal(nested(9)), EFBIG, "deep"));
  std::vector<std::string> children{descriptor_of(kOciManifestType, kManifest)};
  for (int i = 0; i < 1000; ++i) {
    children.push_back(descriptor_of(kOciManifestType, std::to_string(i)));
  }
  BOOST_TEST(says(
      refusal(archive_of(index_of(children), {kBase, kTop, kConfig, kManifest}, kOciIndexType)),
      EFBIG, "manifests"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace imagefs::tests
