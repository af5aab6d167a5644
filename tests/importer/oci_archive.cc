#include <boost/test/unit_test.hpp>
#include <cerrno>

#include "importer/image_names.h"
#include "tests/importer/oci_fixture.h"

namespace imagefs::tests {
namespace {

using importer::Outcome;

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

BOOST_AUTO_TEST_CASE(a_descriptor_keeps_all_its_members) {
  const std::string more =
      R"(,"artifactType":"application/x","data":"eyJ9","x.own":[1,{"a":null}],"annotations":{"k":"v"})";
  import(blobs().with_index(flat_index(more)).str());
  const std::string index = store->index_bytes();
  for (const char* member : {R"("artifactType":"application/x")", R"("data":"eyJ9")",
                             R"("x.own":[1,{"a":null}])", R"("k":"v")"}) {
    BOOST_TEST(index.find(member) != std::string::npos, member);
  }
}

BOOST_AUTO_TEST_CASE(a_descriptor_has_no_room_for_a_cargo) {
  const std::string more = R"(,"data":")" + std::string(100'000, 'x') + "\"";
  BOOST_TEST(says(refusal(blobs().with_index(flat_index(more)).str()), EFBIG, "annotations"));
}

BOOST_AUTO_TEST_CASE(each_name_of_a_manifest_keeps_its_descriptor) {
  const auto of = [](const std::string& name) {
    return descriptor_of(kOciManifestType, kManifest,
                         R"(,"annotations":{"io.containerd.image.name":")" + name +
                             R"(","only":")" + name + R"("})");
  };
  import(blobs().with_index(oci_index({of("a:1"), of("b:1")})).str());
  const auto images = store->read_index().images();
  BOOST_REQUIRE(images.size() == 2U);
  BOOST_TEST(images[0].descriptor.annotations.at("only") == "a:1");
  BOOST_TEST(images[1].descriptor.annotations.at("only") == "b:1");
}

BOOST_AUTO_TEST_CASE(an_index_json_may_list_more_images_than_an_index_platforms) {
  std::vector<std::string> images;
  for (int i = 0; i < 1'500; ++i) {
    images.push_back(descriptor_of(kOciManifestType, kManifest,
                                   named("io.containerd.image.name", "many:" + std::to_string(i))));
  }
  import(blobs().with_index(oci_index(images)).str());
  BOOST_TEST(names().size() == 1'500U);
}

BOOST_AUTO_TEST_CASE(two_manifests_cannot_claim_one_name) {
  const std::string config = config_for({kBase});
  const std::string other = oci_manifest(config, {kBase});
  const std::string index = oci_index({descriptor_of(kOciManifestType, kManifest, kNamed),
                                       descriptor_of(kOciManifestType, other, kNamed)});
  BOOST_TEST(says(refusal(blobs().blob(config).blob(other).with_index(index).str()), EINVAL,
                  "oci.example/x:1"));
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
  BOOST_TEST(says(refusal(with(size, R"("size":1)")), EBADMSG,
                  "has the size " + std::to_string(kTop.size()) + ", its descriptor says 1"));
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
  BOOST_TEST(says(refusal(blobs().with_index("{}").str()), EINVAL, R"(no "manifests")"));
  const auto old = "application/vnd.docker.distribution.manifest.v1+json";
  BOOST_TEST(says(refusal(blobs().with_index(oci_index({descriptor_of(old, kManifest)})).str()),
                  EOPNOTSUPP, old));
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
