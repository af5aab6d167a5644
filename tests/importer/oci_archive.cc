#include <boost/test/unit_test.hpp>
#include <cerrno>

#include "importer/image_names.h"
#include "tests/importer/import_fixture.h"
#include "tests/support/image_archive.h"

namespace imagefs::tests {
namespace {

using importer::Outcome;

const std::string kBase = layer_with("base", "base");
const std::string kTop = layer_with("top", std::string(100'000, 't'));
const std::string kConfig = config_for({kBase, kTop});
const std::string kManifest = oci_manifest(kConfig, {kBase, kTop});
const std::string kNamed =
    R"(,"annotations":{"org.opencontainers.image.ref.name":"oci.example/x:1"})";

OciWriter blobs() {
  OciWriter writer;
  writer.blob(kBase).blob(kTop).blob(kConfig).blob(kManifest);
  return writer;
}

std::string flat_index(const std::string& more = kNamed) {
  return oci_index({descriptor_of(kOciManifestType, kManifest, more)});
}

// An archive of one image, whose manifest is `manifest`.
std::string archive_of(const std::string& manifest, const std::vector<std::string>& others,
                       const std::string& type = kOciManifestType) {
  OciWriter writer;
  for (const std::string& bytes : others) writer.blob(bytes);
  return writer.blob(manifest).with_index(oci_index({descriptor_of(type, manifest, kNamed)})).str();
}

std::string index_of(const std::vector<std::string>& descriptors) {
  std::string index = oci_index(descriptors);
  return index.insert(1, R"("mediaType":")" + std::string(kOciIndexType) + R"(",)");
}

std::string named(const char* key, const std::string& name) {
  return R"(,"annotations":{")" + std::string(key) + R"(":")" + name + R"("})";
}

BOOST_FIXTURE_TEST_SUITE(oci_archive, ImportFixture)

BOOST_AUTO_TEST_CASE(the_images_of_index_json_are_imported_untouched) {
  const std::string archive = blobs().with_index(flat_index()).str();
  for (const std::size_t piece : {1U, 7U, 512U, 1U << 20}) {
    const Outcome outcome = import(archive, {}, piece);
    BOOST_REQUIRE_EQUAL(outcome.images.size(), 1);
    BOOST_TEST(outcome.images[0].descriptor.digest.str() == digest_of(kManifest));
    BOOST_TEST(outcome.images[0].names == std::vector<std::string>{"oci.example/x:1"},
               boost::test_tools::per_element());
  }
  BOOST_TEST(blob(digest_of(kManifest)) == kManifest);
  BOOST_TEST(store->blobs().size() == 4U);
}

BOOST_AUTO_TEST_CASE(names_come_from_annotations_and_a_bare_tag_takes_the_files_stem) {
  const auto name_for = [&](const std::string& annotation, const std::string& file_name) {
    const Outcome outcome = import(blobs().with_index(flat_index(annotation)).str(),
                                   {.limits = {}, .file_name = file_name, .name = {}});
    const auto& given = outcome.images.at(0).names;
    return given.empty() ? std::string("-") : given.at(0);
  };
  const char* const ref_name = "org.opencontainers.image.ref.name";
  BOOST_TEST(name_for(named("io.containerd.image.name", "docker.io/library/a:1"), "x.tar") ==
             "docker.io/library/a:1");
  BOOST_TEST(name_for(named(ref_name, "1.36"), "busybox.oci.tar") ==
             "docker.io/library/busybox:1.36");
  BOOST_TEST(name_for(named(ref_name, "latest"), "No Name.tar") == "-");
  BOOST_TEST(name_for(named(ref_name, "latest"), "") == "-");
  BOOST_TEST(name_for("", "busybox.tar") == "-");
  BOOST_TEST(
      refusal(blobs().with_index(flat_index(named("io.containerd.image.name", "UPPER"))).str())
          .errno_value() == EINVAL);
}

BOOST_AUTO_TEST_CASE(a_stem_is_a_file_name_without_what_archives_end_in) {
  BOOST_TEST(importer::image_stem("dir/busybox.oci.tar") == "busybox");
  BOOST_TEST(importer::image_stem("busybox-1.36.TAR.GZ") == "busybox-1.36");
  BOOST_TEST(importer::image_stem("x.tgz") == "x");
  BOOST_TEST(importer::image_stem(".tar") == ".tar");
  BOOST_TEST(importer::image_stem("plain") == "plain");
}

BOOST_AUTO_TEST_CASE(several_names_of_one_manifest_are_one_image) {
  const std::string index = oci_index(
      {descriptor_of(kOciManifestType, kManifest, named("io.containerd.image.name", "a:1")),
       descriptor_of(kOciManifestType, kManifest, named("io.containerd.image.name", "b:1"))});
  BOOST_TEST(import(blobs().with_index(index).str()).images.at(0).names.size() == 2U);
  BOOST_TEST(names().size() == 2U);
}

BOOST_AUTO_TEST_CASE(two_manifests_cannot_claim_one_name) {
  const std::string config = config_for({kBase});
  const std::string other = oci_manifest(config, {kBase});
  const std::string index = oci_index({descriptor_of(kOciManifestType, kManifest, kNamed),
                                       descriptor_of(kOciManifestType, other, kNamed)});
  BOOST_TEST(says(refusal(blobs().blob(config).blob(other).with_index(index).str()), EINVAL,
                  "oci.example/x:1"));
}

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

BOOST_AUTO_TEST_CASE(an_artifact_is_kept_as_it_is) {
  const std::string config = "{}";
  const std::string payload(100'000, 'p');
  const std::string manifest = R"({"schemaVersion":2,"artifactType":"application/x","config":)" +
                               descriptor_of("application/vnd.oci.empty.v1+json", config) +
                               R"(,"layers":[)" + descriptor_of("application/x", payload) + "]}";
  import(archive_of(manifest, {config, payload}));
  BOOST_TEST((blob(digest_of(payload)) == payload));
}

// As buildx and cosign write them: an image's config, and a layer that is no tar.
BOOST_AUTO_TEST_CASE(a_statement_about_an_image_is_kept_as_it_is) {
  const std::string statement = R"({"_type":"https://in-toto.io/Statement/v0.1"})";
  const std::string config = config_for({statement});
  const std::string manifest = R"({"schemaVersion":2,"config":)" +
                               descriptor_of(kOciConfigType, config) + R"(,"layers":[)" +
                               descriptor_of("application/vnd.in-toto+json", statement) + "]}";
  import(archive_of(manifest, {config, statement}));
  BOOST_TEST((blob(digest_of(statement)) == statement));
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

BOOST_AUTO_TEST_CASE(a_blob_must_be_what_its_name_says) {
  for (const std::size_t size : {100UL, 100'000UL}) {
    const std::string name = "blobs/sha256/" + hex_of(kTop);
    const std::string archive =
        OciWriter().with_index(flat_index()).file(name, std::string(size, 'x')).str();
    BOOST_TEST(says(refusal(archive), EBADMSG, name));
  }
  const std::string linked = OciWriter()
                                 .blob(kBase)
                                 .blob(kConfig)
                                 .blob(kManifest)
                                 .with_index(flat_index())
                                 .symlink("blobs/sha256/" + hex_of(kTop), hex_of(kBase))
                                 .str();
  BOOST_TEST(refusal(linked).errno_value() == EBADMSG);
}

BOOST_AUTO_TEST_CASE(names_that_are_no_digests_are_ignored) {
  LayerWriter tar = blobs().with_index(flat_index());
  for (const std::size_t digits : {63U, 65U}) {
    tar.file("blobs/sha256/" + std::string(digits, 'a'), "x");
  }
  tar.file("blobs/sha256/" + std::string(64, 'A'), "x").file("blobs/md5/x", "x");
  import(tar.str());
  BOOST_TEST(store->blobs().size() == 4U);
}

BOOST_AUTO_TEST_CASE(descriptors_must_be_right) {
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string manifest = kManifest;
    manifest.replace(manifest.rfind(from), from.size(), to);
    return archive_of(manifest, {kBase, kTop, kConfig});
  };
  const std::string size = R"("size":)" + std::to_string(kTop.size());
  BOOST_TEST(says(refusal(with(size, R"("size":1)")), EBADMSG, "its descriptor says 1"));
  for (const char* wrong : {"-1", "1e3", "18446744073709551616", "\"1\"", "9223372036854775808"}) {
    BOOST_TEST(refusal(with(size, R"("size":)" + std::string(wrong))).errno_value() == EINVAL);
  }
  for (const char* wrong : {"sha256:../../x", "sha512:00", "md5:00", "sha256:AB"}) {
    BOOST_TEST(says(refusal(with(digest_of(kTop), wrong)), EINVAL, "digest"));
  }
}

BOOST_AUTO_TEST_CASE(a_document_is_one_thing) {
  const auto with = [&](const std::string& member) {
    std::string manifest = kManifest;
    return archive_of(manifest.insert(1, member), {kBase, kTop, kConfig});
  };
  BOOST_TEST(says(refusal(with(R"("manifests":[],)")), EINVAL, "manifests"));
  std::string other = kManifest;
  other.replace(other.find(kOciManifestType), std::string(kOciManifestType).size(), kOciIndexType);
  BOOST_TEST(says(refusal(archive_of(other, {kBase, kTop, kConfig})), EINVAL, "mediaType"));
}

BOOST_AUTO_TEST_CASE(diff_ids_are_checked) {
  const std::string config = config_for({kTop, kBase});
  BOOST_TEST(says(refusal(archive_of(oci_manifest(config, {kBase, kTop}), {kBase, kTop, config})),
                  EBADMSG, "diff ID"));
  const std::string few = config_for({kBase});
  BOOST_TEST(says(refusal(archive_of(oci_manifest(few, {kBase, kTop}), {kBase, kTop, few})),
                  EBADMSG, "diff ID"));
}

BOOST_AUTO_TEST_CASE(the_layouts_own_files_are_read_strictly) {
  for (const std::string& index : {oci_index({}), std::string("[]"), std::string("{}"),
                                   flat_index().substr(1), std::string()}) {
    BOOST_TEST(says(refusal(blobs().with_index(index).str()), EINVAL, "index.json"));
  }
  const auto with_layout = [](const std::string& layout) {
    return LayerWriter().file("oci-layout", layout).file("index.json", flat_index()).str();
  };
  BOOST_TEST(says(refusal(with_layout(R"({"imageLayoutVersion":"2.0.0"})")), EINVAL, "2.0.0"));
  BOOST_TEST(says(refusal(with_layout("1.0.0")), EINVAL, "oci-layout"));
}

BOOST_AUTO_TEST_CASE(control_files_must_be_regular_files) {
  for (const char* name : {"manifest.json", "oci-layout", "index.json"}) {
    for (const char type : {'1', '2', '3', '5', '6'}) {
      LayerWriter tar;
      if (std::string(name) != "oci-layout") {
        tar.file("oci-layout", R"({"imageLayoutVersion":"1.0.0"})");
      }
      tar.add({.type = type, .name = name, .link = "other"});
      BOOST_TEST(says(refusal(tar.str()), EINVAL, "is not a regular file"));
    }
  }
}

BOOST_AUTO_TEST_CASE(an_archive_that_is_both_is_read_by_index_json_when_that_is_whole) {
  const auto both = [](const std::string& manifest) {
    OciWriter writer;
    writer.blob(kBase).blob(kTop).blob(kConfig).blob(manifest);
    return writer.with_index(oci_index({descriptor_of(kOciManifestType, manifest)}))
        .file("manifest.json",
              "[" +
                  docker_entry("blobs/sha256/" + hex_of(kConfig), R"(["docker:1"])",
                               {"blobs/sha256/" + hex_of(kBase), "blobs/sha256/" + hex_of(kTop)}) +
                  "]")
        .str();
  };
  const Outcome oci = import(both(kManifest));
  BOOST_TEST(oci.images.at(0).descriptor.digest.str() == digest_of(kManifest));
  const Outcome docker = import(both(oci_manifest(kConfig, {})));
  BOOST_TEST(docker.images.at(0).names == std::vector<std::string>{"docker.io/library/docker:1"},
             boost::test_tools::per_element());
}

// An OCI layout with `manifest_json` beside it, that first.
std::string behind(const std::string& manifest_json) {
  return LayerWriter()
      .file("manifest.json", manifest_json)
      .raw(blobs().with_index(flat_index()).unfinished())
      .str();
}

BOOST_AUTO_TEST_CASE(a_manifest_json_that_comes_first_does_not_make_it_a_docker_archive) {
  const std::string docker =
      "[" +
      docker_entry("blobs/sha256/" + hex_of(kConfig), R"(["docker:1"])",
                   {"blobs/sha256/" + hex_of(kBase), "blobs/sha256/" + hex_of(kTop)}) +
      "]";
  for (const std::string& manifest_json : {docker, std::string("an artifact's own file")}) {
    const std::string archive = behind(manifest_json);
    importer::Importer importer(*store, {});
    StringSource source(archive, 512);
    const std::size_t before_the_index = archive.find("oci-layout");
    source.on_next = [&](std::size_t given) {
      if (given < before_the_index) BOOST_TEST(!importer.complete());
    };
    const Outcome outcome = importer.run(source);
    BOOST_TEST(outcome.images.at(0).descriptor.digest.str() == digest_of(kManifest));
    BOOST_TEST(outcome.images.at(0).names == std::vector<std::string>{"oci.example/x:1"},
               boost::test_tools::per_element());
  }
}

BOOST_AUTO_TEST_CASE(directories_of_their_own_documents_come_before_the_layouts_own) {
  const std::string archive = LayerWriter()
                                  .file("a/manifest.json", "{}")
                                  .file("b/oci-layout", "{}")
                                  .file("b/index.json", "{}")
                                  .raw(blobs().with_index(flat_index()).str())
                                  .unfinished();
  BOOST_TEST(import(archive).images.at(0).descriptor.digest.str() == digest_of(kManifest));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace imagefs::tests
