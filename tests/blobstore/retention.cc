#include <boost/test/unit_test.hpp>
#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "blobstore/store.h"
#include "tests/blobstore/store_fixture.h"

// Which images a collection keeps: referrers stay with their subjects, and what cannot be read
// keeps everything.
namespace imagefs::blobstore {
namespace {

const std::string kName = "docker.io/library/busybox:1";
constexpr std::chrono::seconds kAtOnce{0};
constexpr std::chrono::hours kWeek{7 * 24};

class RetentionFixture : public StoreFixture {
 public:
  // An artifact about a document of the store: without a name, imported long ago.
  Digest add_referrer(const Digest& subject, const std::string& content,
                      const std::string& media_type = media_type::kOciManifest) {
    return add_untagged(media_type,
                        R"({"schemaVersion":2,"config":)" + described(write(*store, "{}")) +
                            R"(,"layers":[)" + described(write(*store, content)) +
                            R"(],"subject":{"mediaType":")" + media_type::kOciManifest +
                            R"(","digest":")" + subject.str() + R"(","size":1}})",
                        {"{}", content});
  }

  // An index of these manifests.
  Digest add_index(const std::vector<Descriptor>& manifests, const std::optional<std::string>& name,
                   const std::string& more = "") {
    std::string list;
    for (const Descriptor& each : manifests) {
      list += (list.empty() ? "" : ",") + std::string(R"({"mediaType":")") + each.media_type +
              R"(","digest":")" + each.digest.str() + R"(","size":)" + std::to_string(each.size) +
              "}";
    }
    const HeldBlob blob =
        write(*store, R"({"schemaVersion":2,"manifests":[)" + list + "]" + more + "}");
    add_entry({media_type::kOciIndex, blob.digest, blob.size}, name, {&blob});
    return blob.digest;
  }

  // The blobs of an image, which index.json does not list.
  TestImage add_unlisted(const std::string& content) {
    TestImage image = make_image(*store, content);
    store->commit(image.pointers(), [](Index&) {});
    return image;
  }

  void add_entry(const Descriptor& descriptor, const std::optional<std::string>& name,
                 const std::vector<const HeldBlob*>& blobs) {
    store->commit(blobs, [&](Index& index) {
      index.add({.descriptor = descriptor, .name = name, .imported = kThen, .superseded = {}},
                kThen);
    });
  }

  void remove(const std::string& name) {
    store->commit({}, [&](Index& index) { BOOST_TEST(index.remove_name(name)); });
  }

  [[nodiscard]] std::string refusal() const {
    try {
      store->collect(kAtOnce, kAtOnce);
    } catch (const Error& error) {
      return error.sentence();
    }
    return "it was not refused";
  }

  std::shared_ptr<Store> store = open();

 private:
  static std::string described(const HeldBlob& blob) {
    return R"({"mediaType":"x/any","digest":")" + blob.digest.str() + R"(","size":)" +
           std::to_string(blob.size) + "}";
  }

  Digest add_untagged(const std::string& media_type, const std::string& document,
                      const std::vector<std::string>& contents) {
    std::vector<HeldBlob> blobs;
    for (const std::string& content : contents) blobs.push_back(write(*store, content));
    blobs.push_back(write(*store, document));
    std::vector<const HeldBlob*> pointers;
    for (const HeldBlob& blob : blobs) pointers.push_back(&blob);
    add_entry({media_type, blobs.back().digest, blobs.back().size}, {}, pointers);
    return blobs.back().digest;
  }
};

BOOST_FIXTURE_TEST_SUITE(retention, RetentionFixture)

BOOST_AUTO_TEST_CASE(a_referrer_stays_as_long_as_its_subject) {
  const TestImage image = make_image(*store, "1");
  add(*store, image, kName);
  add_referrer(image.manifest(), "an SBOM");
  BOOST_TEST(store->collect(kWeek, kAtOnce).images == 0U);
  BOOST_TEST(store->blobs().size() == 6U);
  BOOST_TEST(store->verify().empty());
  remove(kName);
  BOOST_TEST(store->collect(kWeek, kAtOnce).images == 1U);
  BOOST_TEST(store->blobs().empty());
}

BOOST_AUTO_TEST_CASE(a_referrer_of_a_referrer_stays_too_in_whatever_order) {
  const TestImage image = make_image(*store, "1");
  const TestImage other = make_image(*store, "2");
  const Digest sbom = add_referrer(image.manifest(), "an SBOM");
  const Digest signature = add_referrer(sbom, "a signature");
  add_referrer(signature, "a signature of the signature");
  add_referrer(other.manifest(), "about an image that is not there");
  add(*store, image, kName);
  BOOST_TEST(store->collect(kWeek, kAtOnce).images == 1U);
  BOOST_TEST(store->read_index().images().size() == 4U);
  remove(kName);
  BOOST_TEST(store->collect(kWeek, kAtOnce).images == 3U);
  BOOST_TEST(store->blobs().empty());
}

BOOST_AUTO_TEST_CASE(a_referrer_stays_with_a_manifest_of_a_nested_index) {
  const TestImage image = add_unlisted("1");
  const Digest inner = add_index({image.descriptor}, kName);
  const auto size = store->hold(inner).value().size;
  add_index({{media_type::kOciIndex, inner, size}}, "docker.io/library/outer:1");
  remove(kName);
  add_referrer(image.manifest(), "an SBOM of the manifest");
  add_referrer(inner, "an SBOM of the index");
  BOOST_TEST(store->collect(kWeek, kAtOnce).images == 0U);
  BOOST_TEST(store->blobs().size() == 10U);
  remove("docker.io/library/outer:1");
  BOOST_TEST(store->collect(kWeek, kAtOnce).images == 2U);
  BOOST_TEST(store->blobs().empty());
}

BOOST_AUTO_TEST_CASE(an_index_and_a_manifest_of_another_type_may_be_referrers) {
  const TestImage image = make_image(*store, "1");
  add(*store, image, kName);
  const TestImage part = add_unlisted("2");
  add_index(
      {part.descriptor}, {},
      R"(,"subject":{"mediaType":"x/y","digest":")" + image.manifest().str() + R"(","size":1})");
  const Digest artifact = add_referrer(image.manifest(), "an SBOM", "x/artifact");
  add_referrer(artifact, "a signature");
  BOOST_TEST(store->collect(kWeek, kAtOnce).images == 0U);
  BOOST_TEST(store->blobs().size() == 12U);
}

BOOST_AUTO_TEST_CASE(referrers_of_each_other_do_not_keep_themselves) {
  const TestImage image = make_image(*store, "1");
  const Digest artifact = add_referrer(image.manifest(), "of an absent image", "x/artifact");
  add_referrer(artifact, "a signature", "x/artifact");
  BOOST_TEST(store->collect(kWeek, kAtOnce).images == 2U);
  BOOST_TEST(store->blobs().empty());
}

BOOST_AUTO_TEST_CASE(a_missing_manifest_of_an_image_keeps_everything_until_the_image_goes) {
  const TestImage image = make_image(*store, "1");
  add(*store, image, kName);
  std::filesystem::remove(blob_path(image.manifest()));
  BOOST_TEST(refusal() == "the image " + kName + " (" + image.manifest().str() +
                              "): its manifest is missing: import it again, or remove it with "
                              "imagefs rm " +
                              kName);
  BOOST_TEST(store->blobs().size() == 2U);
  remove(kName);
  BOOST_TEST(store->collect(kAtOnce, kAtOnce).blobs == 2U);
}

BOOST_AUTO_TEST_CASE(a_damaged_manifest_of_an_image_keeps_everything_until_the_image_goes) {
  const TestImage image = make_image(*store, "1");
  const Digest index = add_index({image.descriptor}, kName);
  store->commit(image.pointers(), [](Index&) {});
  flip_byte(blob_path(image.manifest()));
  const std::string why = refusal();
  BOOST_TEST(why.starts_with("the image " + kName + " (" + index.str() + "): the blob " +
                             image.manifest().str() + " is damaged"),
             why);
  BOOST_TEST(why.ends_with(": import it again, or remove it with imagefs rm " + kName), why);
  BOOST_TEST(store->blobs().size() == 4U);
  remove(kName);
  BOOST_TEST(store->collect(kAtOnce, kAtOnce).blobs == 4U);
}

BOOST_AUTO_TEST_CASE(an_untagged_image_that_cannot_be_read_may_be_a_referrer) {
  for (const bool missing : {true, false}) {
    const TestImage image = make_image(*store, "1");
    add_entry(image.descriptor, {}, image.pointers());
    if (missing) std::filesystem::remove(blob_path(image.manifest()));
    if (!missing) flip_byte(blob_path(image.manifest()));
    const std::string why = refusal();
    const std::string digest = image.manifest().str();
    BOOST_TEST(why.starts_with("the image " + digest + ", which has no name: "), why);
    BOOST_TEST(why.ends_with("or remove it with imagefs rm " + digest), why);
    store->commit({}, [&](Index& index) { BOOST_TEST(index.remove_untagged(image.manifest())); });
    BOOST_TEST(store->collect(kAtOnce, kAtOnce).blobs == (missing ? 2U : 3U));
  }
}

BOOST_AUTO_TEST_CASE(absent_manifests_of_an_index_hinder_no_collection) {
  const TestImage here = add_unlisted("1");
  const TestImage absent = make_image(*store, "2");
  add_index({here.descriptor, absent.descriptor}, kName);
  write_file(blob_path(sha256("x")), "x");
  BOOST_TEST(store->collect(kAtOnce, kAtOnce).blobs == 1U);
  BOOST_TEST(store->blobs().size() == 4U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace imagefs::blobstore
