#include <boost/test/unit_test.hpp>
#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

#include "blobstore/files.h"
#include "blobstore/store.h"
#include "blobstore/temporary_file.h"
#include "tests/blobstore/store_fixture.h"

namespace imagefs::blobstore {
namespace {

const std::string kName = "docker.io/library/busybox:1";
constexpr std::chrono::seconds kAtOnce{0};
constexpr std::chrono::hours kWeek{7 * 24};

BOOST_FIXTURE_TEST_SUITE(collections, StoreFixture)

BOOST_AUTO_TEST_CASE(a_superseded_image_goes_when_it_is_old) {
  const auto store = open();
  const TestImage old = make_image(*store, "old");
  const TestImage current = make_image(*store, "new");
  add(*store, old, kName);
  store->commit(current.pointers(), [&](Index& index) { index.add(current.named(kName), kThen); });
  BOOST_TEST(store->collect(std::chrono::hours(1'000'000), kAtOnce).images == 0U);
  BOOST_TEST(store->blobs().size() == 6U);
  const Store::Collected collected = store->collect(kWeek, kAtOnce);
  BOOST_TEST(collected.images == 1U);
  BOOST_TEST(collected.blobs == 3U);
  BOOST_TEST(collected.bytes == old.blobs[0].size + old.blobs[1].size + old.blobs[2].size);
  BOOST_TEST(store->blobs().size() == 3U);
  BOOST_TEST(store->read_index().images().size() == 1U);
  BOOST_TEST(store->verify().empty());
}

BOOST_AUTO_TEST_CASE(an_untagged_import_goes_when_it_is_old) {
  const auto store = open();
  const TestImage image = make_image(*store, "1");
  store->commit(image.pointers(), [&](Index& index) { index.add(image.untagged(), kNow); });
  BOOST_TEST(store->collect(kWeek, kAtOnce).images == 1U);
  BOOST_TEST(store->blobs().empty());
}

BOOST_AUTO_TEST_CASE(a_time_may_have_a_fraction_of_a_second) {
  const auto store = open();
  const TestImage image = make_image(*store, "1");
  store->commit(image.pointers(),
                [&](Index& index) { index.add(image.untagged("2001-02-03T04:05:06.789Z"), kNow); });
  BOOST_TEST(store->collect(kWeek, kAtOnce).images == 1U);
}

BOOST_AUTO_TEST_CASE(untagged_images_of_other_tools_stay) {
  const auto store = open();
  const TestImage image = make_image(*store, "1");
  store->commit(image.pointers(), [&](Index& index) { index.add(image.untagged(""), kNow); });
  BOOST_TEST(store->collect(kAtOnce, kAtOnce).images == 0U);
  BOOST_TEST(store->blobs().size() == 3U);
}

BOOST_AUTO_TEST_CASE(fresh_blobs_and_files_that_are_no_blobs_stay) {
  const auto store = open();
  write_file(blob_path(sha256("x")), "x");
  write_file(path / "blobs" / "sha256" / "another-tools-temporary", "x");
  BOOST_TEST(store->collect(kAtOnce).blobs == 0U);
  BOOST_TEST(store->collect(kAtOnce, kAtOnce).blobs == 1U);
  BOOST_TEST(std::filesystem::exists(path / "blobs" / "sha256" / "another-tools-temporary"));
}

std::string described(const std::string& media_type, std::string_view bytes) {
  return R"({"mediaType":")" + media_type + R"(","digest":")" + sha256(bytes).str() +
         R"(","size":)" + std::to_string(bytes.size()) + "}";
}

BOOST_AUTO_TEST_CASE(what_manifests_of_other_tools_name_stays) {
  const auto store = open();
  const std::string config = "{}";
  const std::string inner = R"({"schemaVersion":2,"config":)" +
                            described(media_type::kOciConfig, config) + R"(,"layers":[]})";
  const std::string sbom = "an SBOM";
  const std::string artifact = R"({"blobs":[)" + described("x/sbom", sbom) + R"(],"nested":[")" +
                               sha256(inner).str() + R"("]})";
  const std::string list =
      R"({"schemaVersion":2,"manifests":[)" + described("x/listed", artifact) + "]}";
  const std::vector<std::string> all{config, inner, sbom, artifact, list};
  const auto blobs_left = [&](const std::string& entry) {
    for (const std::string& bytes : all) write_file(blob_path(sha256(bytes)), bytes);
    write_file(blob_path(sha256("unreferenced")), "unreferenced");
    write_file(path / "index.json", R"({"schemaVersion":2,"manifests":[)" + entry + "]}");
    store->collect(kAtOnce, kAtOnce);
    return store->blobs().size();
  };
  BOOST_TEST(blobs_left(described("x/manifest", artifact)) == 4U);
  BOOST_TEST(blobs_left(described(media_type::kOciIndex, list)) == 5U);
  BOOST_TEST(blobs_left(described("x/manifest", sbom)) == 1U);
}

BOOST_AUTO_TEST_CASE(a_damaged_manifest_of_another_tool_keeps_everything) {
  const auto store = open();
  const std::string artifact = R"({"blobs":[")" + sha256("x").str() + R"("]})";
  write_file(blob_path(sha256("x")), "x");
  write_file(blob_path(sha256(artifact)), "{}");
  write_file(path / "index.json",
             R"({"schemaVersion":2,"manifests":[)" + described("x/manifest", artifact) + "]}");
  BOOST_TEST(errno_of([&] { store->collect(kAtOnce, kAtOnce); }) == EIO);
  BOOST_TEST(store->blobs().size() == 2U);
}

// A store with a manifest of another tool, which names a blob of these bytes; they then change.
class ForeignFixture : public StoreFixture {
 public:
  // How many blobs a collection takes of the one that nothing names; nothing when it is refused.
  std::optional<std::uint64_t> collected_with(const std::string& named, const std::string& now) {
    const auto store = open();
    const std::string artifact = R"({"blobs":[)" + described("x/named", named) + "]}";
    write_file(blob_path(sha256(artifact)), artifact);
    write_file(blob_path(sha256(named)), now);
    write_file(blob_path(sha256("x")), "x");
    write_file(path / "index.json",
               R"({"schemaVersion":2,"manifests":[)" + described("x/manifest", artifact) + "]}");
    try {
      const auto collected = store->collect(kAtOnce, kAtOnce).blobs;
      BOOST_TEST(std::filesystem::exists(blob_path(sha256(named))));
      return collected;
    } catch (const Error& error) {
      BOOST_TEST(error.errno_value() == EIO);
      BOOST_TEST(store->blobs().size() == 3U);
      return std::nullopt;
    }
  }
};

BOOST_FIXTURE_TEST_CASE(a_damaged_blob_that_is_no_document_hinders_no_collection, ForeignFixture) {
  BOOST_TEST((collected_with("an SBOM", "an SBoM") == 1U));
  BOOST_TEST((collected_with("an SBOM", "an S") == 1U));
  BOOST_TEST((collected_with("an SBOM", std::string("\0\0 SBOM", 7)) == 1U));
  open()->verify();
  BOOST_TEST(errno_of([&] { (void)open()->open_blob(sha256("an SBOM")); }) == EIO);
  BOOST_TEST((collected_with("an SBOM", "an SBoM") == 1U));
}

BOOST_FIXTURE_TEST_CASE(a_damaged_config_that_another_tool_names_hinders_no_collection,
                        ForeignFixture) {
  const auto store = open();
  const TestImage image = make_image(*store, "1");
  add(*store, image, kName);
  const std::string signature = R"({"subject":")" + image.manifest().str() + R"("})";
  write_file(blob_path(sha256(signature)), signature);
  std::string index = store->index_bytes();
  index.insert(index.find('[') + 1, described("x/signature", signature) + ",");
  write_file(path / "index.json", index);
  write_file(blob_path(sha256("x")), "x");
  BOOST_TEST(store->read_index().images().size() == 2U);
  flip_byte(blob_path(image.blobs[1].digest));
  BOOST_TEST(store->collect(kAtOnce, kAtOnce).blobs == 1U);
  BOOST_TEST(store->blobs().size() == 4U);
}

BOOST_FIXTURE_TEST_CASE(a_damaged_blob_that_may_be_a_document_keeps_everything, ForeignFixture) {
  const std::string nested = R"({"blobs":[")" + sha256("x").str() + R"("]})";
  BOOST_TEST((collected_with(nested, nested) == 0U));
  BOOST_TEST(!collected_with(nested, "y" + nested.substr(1)).has_value());
  BOOST_TEST(!collected_with(nested, nested.substr(0, 5)).has_value());
  BOOST_TEST(!collected_with(nested, "").has_value());
  BOOST_TEST(!collected_with(nested, std::string(nested.size(), '\0')).has_value());
  BOOST_TEST(!collected_with(nested, std::string(4, '\0') + nested).has_value());
}

BOOST_AUTO_TEST_CASE(an_entry_that_cannot_be_read_keeps_everything) {
  const auto store = open();
  write_file(blob_path(sha256("x")), "x");
  write_file(path / "index.json",
             R"({"schemaVersion":2,"manifests":[{"mediaType":"a","digest":"sha512:0","size":1}]})");
  BOOST_TEST(errno_of([&] { store->collect(kAtOnce, kAtOnce); }) == EBADMSG);
  BOOST_TEST(store->blobs().size() == 1U);
}

BOOST_AUTO_TEST_CASE(what_the_cache_holds_for_blobs_that_are_gone_goes) {
  const auto store = open();
  const TestImage image = make_image(*store, "1");
  add(*store, image, kName);
  const auto cache = path / "cache";
  std::filesystem::create_directories(cache / "layers");
  const std::string gone = sha256("gone").hex();
  write_file(cache / (gone + ".index"), "x");
  write_file(cache / "layers" / gone, "x");
  write_file(cache / "layers" / (image.layer().hex() + ".index"), "x");
  write_file(cache / "damaged", sha256("gone").str() + "\n");
  write_file(cache / "other", "x");
  std::filesystem::create_symlink("nowhere", blob_path(sha256("link")));
  write_file(cache / "layers" / sha256("link").hex(), "x");
  store->collect(kAtOnce, kAtOnce);
  BOOST_TEST(!std::filesystem::exists(cache / (gone + ".index")));
  BOOST_TEST(!std::filesystem::exists(cache / "layers" / gone));
  BOOST_TEST(std::filesystem::exists(cache / "layers" / (image.layer().hex() + ".index")));
  BOOST_TEST(std::filesystem::exists(cache / "other"));
  BOOST_TEST(!std::filesystem::exists(cache / "damaged"));
}

BOOST_AUTO_TEST_CASE(what_a_killed_process_left_in_the_cache_goes) {
  const auto store = open();
  std::filesystem::create_directories(path / "cache" / "layers");
  const auto layers = open_directory(store->directory_fd(), "cache/layers", "cache/layers").value();
  const TemporaryFile held = make_named_file(layers.get(), 0644);
  TemporaryFile left = make_named_file(layers.get(), 0644);
  left.fd.reset();
  const TemporaryFile left_in_cache = [&] {
    const auto cache = open_directory(store->directory_fd(), "cache", "cache").value();
    return TemporaryFile{{}, make_named_file(cache.get(), 0644).name};
  }();
  store->collect(kAtOnce);
  BOOST_TEST(std::filesystem::exists(path / "cache" / "layers" / held.name));
  BOOST_TEST(!std::filesystem::exists(path / "cache" / "layers" / left.name));
  BOOST_TEST(!std::filesystem::exists(path / "cache" / left_in_cache.name));
}

BOOST_AUTO_TEST_CASE(a_blob_that_is_open_stays_readable) {
  const auto store = open();
  const TestImage image = make_image(*store, "1");
  add(*store, image, kName);
  const HeldBlob held = store->hold(image.layer()).value();
  store->commit({}, [&](Index& index) { BOOST_TEST(index.remove_name(kName)); });
  BOOST_TEST(store->collect(kAtOnce, kAtOnce).blobs == 3U);
  BOOST_TEST(held.read_all(100) == "layer 1");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace imagefs::blobstore
