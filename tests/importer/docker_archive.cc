#include <boost/test/unit_test.hpp>
#include <cerrno>

#include "tests/importer/import_fixture.h"
#include "tests/support/compress.h"
#include "tests/support/image_archive.h"

namespace imagefs::tests {
namespace {

using importer::Compression;
using importer::Outcome;
using test::compress;

const std::string kBase = layer_with("base", "base");
const std::string kTop = layer_with("top", std::string(100'000, 't'));
const std::string kConfig = config_for({kBase, kTop});
const std::string kManifestJson =
    "[" + docker_entry("config.json", R"(["busybox:1.36"])", {"base.tar", "top.tar"}) + "]";

// The archive's entries without a manifest.json.
LayerWriter parts() {
  LayerWriter tar;
  tar.file("base.tar", kBase).file("top.tar", kTop).file("config.json", kConfig);
  return tar;
}

std::string with_manifest(const std::string& manifest) {
  return parts().file("manifest.json", manifest).str();
}

// What containerd's importer makes of it, written out.
std::string expected_manifest(const std::string& config, const std::vector<std::string>& layers,
                              const std::string& suffix = "") {
  std::string text =
      R"({"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json",)"
      R"("config":)" +
      descriptor_of("application/vnd.docker.container.image.v1+json", config) + R"(,"layers":[)";
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (i > 0) text += ',';
    text += descriptor_of("application/vnd.docker.image.rootfs.diff.tar" + suffix, layers[i]);
  }
  return text + "]}";
}

BOOST_FIXTURE_TEST_SUITE(docker_archive, ImportFixture)

BOOST_AUTO_TEST_CASE(an_archive_becomes_blobs_a_manifest_and_a_name) {
  const Outcome outcome = import(with_manifest(kManifestJson));
  BOOST_REQUIRE_EQUAL(outcome.images.size(), 1);
  const auto& image = outcome.images[0];
  const std::string manifest = expected_manifest(kConfig, {kBase, kTop});
  BOOST_TEST(image.descriptor.digest.str() == digest_of(manifest));
  BOOST_TEST(image.descriptor.size == manifest.size());
  BOOST_TEST(image.descriptor.platform.value().str() == "linux/amd64");
  BOOST_TEST(names() == std::vector<std::string>{"docker.io/library/busybox:1.36"},
             boost::test_tools::per_element());
  BOOST_TEST(blob(digest_of(manifest)) == manifest);
  BOOST_TEST((blob(digest_of(kTop)) == kTop));
  BOOST_TEST(store->blobs().size() == 4U);
  BOOST_TEST(outcome.notes.empty());
}

BOOST_AUTO_TEST_CASE(an_image_without_layers_has_an_empty_list_of_them) {
  const std::string config = R"({"os":"linux","architecture":"amd64"})";
  import(LayerWriter()
             .file("c.json", config)
             .file("manifest.json", "[" + docker_entry("c.json", "null", {}) + "]")
             .str());
  const std::string manifest =
      "sha256:43ac48d1d59701bd7c6a046081677fb0a618de88f2aa60c8f4c0ab11b8956e9c";
  BOOST_TEST(blob(manifest).ends_with(R"(","size":37},"layers":[]})"));
}

BOOST_AUTO_TEST_CASE(the_order_of_entries_and_the_size_of_pieces_do_not_matter) {
  const std::string first = LayerWriter()
                                .file("manifest.json", kManifestJson)
                                .file("config.json", kConfig)
                                .file("top.tar", kTop)
                                .file("base.tar", kBase)
                                .str();
  const std::string digest = digest_of(expected_manifest(kConfig, {kBase, kTop}));
  for (const std::size_t piece : {1U, 7U, 512U, 1000U, 1U << 20}) {
    for (const std::string& archive : {first, with_manifest(kManifestJson)}) {
      const Outcome outcome = import(archive, {}, piece);
      BOOST_TEST(outcome.images.at(0).descriptor.digest.str() == digest);
    }
  }
  BOOST_TEST(store->blobs().size() == 4U);
}

BOOST_AUTO_TEST_CASE(compressed_layers_get_the_media_type_that_containerd_gives_them) {
  for (const Compression compression : {Compression::gzip, Compression::zstd}) {
    const std::string base = compress(compression, kBase);
    const std::string top = compress(compression, kTop);
    const Outcome outcome = import(LayerWriter()
                                       .file("base.tar", base)
                                       .file("top.tar", top)
                                       .file("config.json", kConfig)
                                       .file("manifest.json", kManifestJson)
                                       .str());
    BOOST_TEST(outcome.images.at(0).descriptor.digest.str() ==
               digest_of(expected_manifest(kConfig, {base, top}, ".gzip")));
  }
}

BOOST_AUTO_TEST_CASE(a_compressed_archive_is_read_through_its_compression) {
  for (const Compression compression : {Compression::gzip, Compression::zstd, Compression::xz,
                                        Compression::bzip2, Compression::lz4}) {
    const std::string archive = compress(compression, with_manifest(kManifestJson));
    for (const std::size_t piece : {1000U, 1U << 20}) {
      BOOST_TEST(import(archive, {}, piece).images.size() == 1U);
    }
  }
  const std::string twice =
      compress(Compression::gzip, compress(Compression::zstd, with_manifest(kManifestJson)));
  BOOST_TEST(says(refusal(twice), EOPNOTSUPP, "compressed twice"));
}

BOOST_AUTO_TEST_CASE(layers_may_be_links_and_repeat) {
  const std::string config = config_for({kBase, kBase, kBase});
  const Outcome outcome = import(
      LayerWriter()
          .symlink("b/layer.tar", "../a/layer.tar")
          .file("a/layer.tar", kBase)
          .link("hard.tar", "a/layer.tar")
          .file("c.json", config)
          .file("manifest.json",
                "[" + docker_entry("./c.json", "[]", {"b/layer.tar", "a//layer.tar", "hard.tar"}) +
                    "]")
          .str());
  BOOST_TEST(outcome.images.at(0).descriptor.digest.str() ==
             digest_of(expected_manifest(config, {kBase, kBase, kBase})));
  BOOST_TEST(store->blobs().size() == 3U);
  BOOST_TEST(names() == std::vector<std::string>{"-"}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(links_that_lead_nowhere_refuse_only_where_they_matter) {
  BOOST_TEST(import(parts().symlink("latest", "nowhere").file("manifest.json", kManifestJson).str())
                 .images.size() == 1U);
  BOOST_TEST(says(refusal(parts()
                              .symlink("x/layer.tar", "../y/layer.tar")
                              .file("manifest.json", kManifestJson)
                              .str()),
                  EINVAL, "x/layer.tar"));
  const auto with_link = [](const std::string& target) {
    return LayerWriter()
        .symlink("a", target)
        .symlink("b", "a")
        .file("c.json", config_for({kBase}))
        .file("manifest.json", "[" + docker_entry("c.json", "[]", {"a"}) + "]")
        .str();
  };
  BOOST_TEST(says(refusal(with_link("b")), EINVAL, "more than 8 links"));
  BOOST_TEST(says(refusal(with_link("gone")), EINVAL, "symlink to \"gone\""));
  BOOST_TEST(says(refusal(with_link("../../etc/passwd")), EINVAL, "outside the archive"));
}

BOOST_AUTO_TEST_CASE(only_a_hop_too_many_refuses) {
  for (const int hops : {8, 9}) {
    LayerWriter tar;
    tar.file("hop0", kBase).file("c.json", config_for({kBase}));
    for (int i = 1; i <= hops; ++i) {
      tar.symlink("hop" + std::to_string(i), "hop" + std::to_string(i - 1));
    }
    tar.file("manifest.json",
             "[" + docker_entry("c.json", "[]", {"hop" + std::to_string(hops)}) + "]");
    BOOST_TEST((refusal(tar.str()).errno_value() == 0) == (hops == 8));
  }
}

BOOST_AUTO_TEST_CASE(hard_links_are_no_hops) {
  LayerWriter tar;
  tar.file("hop0", kBase).file("c.json", config_for({kBase}));
  for (int i = 1; i <= 8; ++i) {
    tar.symlink("hop" + std::to_string(i), "hop" + std::to_string(i - 1));
  }
  tar.add({.type = '1', .name = "hard0", .link = "hop8"});
  for (int i = 1; i <= 100; ++i) {
    tar.add(
        {.type = '1', .name = "hard" + std::to_string(i), .link = "hard" + std::to_string(i - 1)});
  }
  tar.file("manifest.json", "[" + docker_entry("c.json", "[]", {"hard100"}) + "]");
  BOOST_TEST(import(tar.str()).images.size() == 1U);
}

BOOST_AUTO_TEST_CASE(hard_links_in_a_circle_lead_nowhere) {
  LayerWriter tar;
  tar.file("c.json", config_for({kBase}));
  tar.add({.type = '1', .name = "a", .link = "b"}).add({.type = '1', .name = "b", .link = "a"});
  tar.file("manifest.json", "[" + docker_entry("c.json", "[]", {"a"}) + "]");
  BOOST_TEST(refusal(tar.str()).errno_value() == EINVAL);
}

BOOST_AUTO_TEST_CASE(an_index_json_that_is_no_file_is_refused_there_too) {
  LayerWriter tar = parts().file("manifest.json", kManifestJson);
  BOOST_TEST(
      says(refusal(tar.add({.type = '5', .name = "index.json/"}).str()), EINVAL, "index.json"));
}

BOOST_AUTO_TEST_CASE(names_outside_the_archive_are_never_entries) {
  for (const char* name : {"../../../etc/passwd", "/etc/passwd", "a/../../b", ""}) {
    const std::string manifest = "[" + docker_entry("config.json", "[]", {name, "top.tar"}) + "]";
    const std::string archive =
        parts().file("/etc/passwd", kBase).file("manifest.json", manifest).str();
    BOOST_TEST(says(refusal(archive), EINVAL, "is not an entry of the archive"));
  }
}

BOOST_AUTO_TEST_CASE(an_entry_that_comes_twice_must_have_the_same_bytes) {
  BOOST_TEST(import(parts()
                        .file("base.tar", kBase)
                        .file("manifest.json", kManifestJson)
                        .file("manifest.json", kManifestJson)
                        .file("other", "1")
                        .file("other", "2")
                        .str())
                 .images.size() == 1U);
  BOOST_TEST(
      says(refusal(parts().file("top.tar", kBase).file("manifest.json", kManifestJson).str()),
           EINVAL, "two different entries named \"top.tar\""));
  BOOST_TEST(says(refusal(parts()
                              .file("manifest.json", kManifestJson)
                              .file("manifest.json", kManifestJson + " ")
                              .str()),
                  EINVAL, "two different entries named \"manifest.json\""));
}

BOOST_AUTO_TEST_CASE(one_directory_above_everything_is_stripped) {
  const auto below = [](const std::string& top) {
    LayerWriter tar;
    return tar.directory(top)
        .file(top + "/base.tar", kBase)
        .file(top + "/top.tar", kTop)
        .file(top + "/config.json", kConfig)
        .file(top + "/manifest.json", kManifestJson);
  };
  BOOST_TEST(import(below("./dir").str()).images.size() == 1U);
  BOOST_TEST(says(refusal(below("x").raw(below("y").unfinished()).str()), EINVAL,
                  "in \"x/\" and in \"y/\""));
  BOOST_TEST(says(refusal(below("x").file("beside", "1").str()), EINVAL, "manifest.json"));
}

BOOST_AUTO_TEST_CASE(diff_ids_are_checked_in_number_and_value) {
  for (const std::string& config :
       {config_for({kBase}), config_for({kBase, kTop, kTop}), config_for({kTop, kBase})}) {
    const std::string archive = LayerWriter()
                                    .file("base.tar", kBase)
                                    .file("top.tar", kTop)
                                    .file("config.json", config)
                                    .file("manifest.json", kManifestJson)
                                    .str();
    BOOST_TEST(says(refusal(archive), EBADMSG, "diff ID"));
  }
}

BOOST_AUTO_TEST_CASE(a_layer_that_is_no_tar_is_refused) {
  for (const std::size_t size : {10UL, 100'000UL}) {
    const std::string archive = LayerWriter()
                                    .file("base.tar", kBase)
                                    .file("top.tar", std::string(size, 'x'))
                                    .file("config.json", kConfig)
                                    .file("manifest.json", kManifestJson)
                                    .str();
    BOOST_TEST(says(refusal(archive), EINVAL, "\"top.tar\" is no tar"));
  }
}

BOOST_AUTO_TEST_CASE(a_layer_whose_tar_is_cut_is_refused) {
  for (const std::string& cut : {kTop.substr(0, 700), kTop.substr(0, 90'000)}) {
    const std::string archive = LayerWriter()
                                    .file("base.tar", kBase)
                                    .file("top.tar", cut)
                                    .file("config.json", config_for({kBase, cut}))
                                    .file("manifest.json", kManifestJson)
                                    .str();
    BOOST_TEST(says(refusal(archive), EBADMSG, "\"top.tar\": the tar stream ends within"));
  }
}

BOOST_AUTO_TEST_CASE(names_are_normalised_merged_and_checked) {
  const auto tagged = [](const std::string& tags) {
    return with_manifest("[" + docker_entry("config.json", tags, {"base.tar", "top.tar"}) + "]");
  };
  const Outcome outcome =
      import(tagged(R"(["a:1","a:1","docker.io/library/a:1","b","c:1@)" + digest_of("") + R"("])"));
  BOOST_TEST(outcome.images.at(0).names ==
                 (std::vector<std::string>{"docker.io/library/a:1", "docker.io/library/b:latest",
                                           "docker.io/library/c@" + digest_of("")}),
             boost::test_tools::per_element());
  for (const char* bad : {"", "<none>:<none>", "UPPER:1"}) {
    const std::string tags = R"(["good:1",")" + std::string(bad) + R"("])";
    BOOST_TEST(refusal(tagged(tags)).errno_value() == EINVAL);
  }
}

BOOST_AUTO_TEST_CASE(a_name_given_by_the_caller_replaces_those_of_the_archive) {
  import(with_manifest(kManifestJson), {.name = "mine:2"});
  BOOST_TEST(names() == std::vector<std::string>{"docker.io/library/mine:2"},
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(two_images_cannot_claim_one_name) {
  const std::string one = config_for({kBase});
  const auto archive = [&](const std::string& name) {
    return parts()
        .file("one.json", one)
        .file("manifest.json",
              "[" + docker_entry("config.json", R"(["a:1"])", {"base.tar", "top.tar"}) + "," +
                  docker_entry("one.json", name, {"base.tar"}) + "]")
        .str();
  };
  BOOST_TEST(says(refusal(archive(R"(["docker.io/library/a:1"])")), EINVAL, "a:1"));
  BOOST_TEST(import(archive(R"(["a:2"])")).images.size() == 2U);
}

BOOST_AUTO_TEST_CASE(a_manifest_json_that_is_not_strictly_one_list_of_images_is_refused) {
  const std::string good = docker_entry("config.json", "null", {"base.tar", "top.tar"});
  for (const std::string& manifest : std::initializer_list<std::string>{
           "[]", std::string("[null]"), std::string("{}"), std::string("null"), std::string(),
           std::string(100'000, ' '), std::string(100'000, '['), "\xEF\xBB\xBF[]" + good,
           "[" + good + "] x", "[" + good + "][]", "[" + good,
           R"([{"Config":"config.json","config":"x","RepoTags":null,"Layers":[]}])",
           R"([{"Config":"config.json","Config":"x","Layers":[]}])",
           R"([{"Config":"config.json","Layers":"base.tar"}])", R"([{"Layers":[]}])",
           R"([{"Config":1,"Layers":[]}])"}) {
    BOOST_TEST(says(refusal(with_manifest(manifest)), EINVAL, "manifest.json"));
  }
}

BOOST_AUTO_TEST_CASE(a_sentence_with_a_huge_name_is_short) {
  const std::string name = "first" + std::string(5 << 20, 'x') + "last";
  const std::string manifest = "[" + docker_entry("config.json", "[]", {name}) + "]";
  const Error error = refusal(with_manifest(manifest));
  BOOST_TEST(error.sentence().size() <= 2'000U);
  BOOST_TEST(says(error, EINVAL, "manifest.json refers to \"first"));
  BOOST_TEST(says(error, EINVAL, "last\", which is not an entry of the archive"));
}

BOOST_AUTO_TEST_CASE(more_than_the_limits_allow_is_too_big) {
  importer::Options options;
  options.limits.max_layers = 1;
  BOOST_TEST(says(refusal(with_manifest(kManifestJson), options), EFBIG, "layers"));
  options.limits = {.max_json = 10};
  BOOST_TEST(says(refusal(with_manifest(kManifestJson), options), EFBIG, "manifest.json"));
  options.limits = {.max_config = 10};
  BOOST_TEST(says(refusal(with_manifest(kManifestJson), options), EFBIG, "config.json"));
  options.limits = {.max_archive = 50'000};
  BOOST_TEST(refusal(with_manifest(kManifestJson), options).errno_value() == EFBIG);
  options.limits = {.max_entries = 3};
  BOOST_TEST(says(refusal(with_manifest(kManifestJson), options), EFBIG, "entries"));
  options.limits = {.max_names = 0};
  BOOST_TEST(says(refusal(with_manifest(kManifestJson), options), EFBIG, "names"));
  options.limits = {.min_free = UINT64_MAX};
  BOOST_TEST(says(refusal(with_manifest(kManifestJson), options), ENOSPC, "must stay free"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace imagefs::tests
