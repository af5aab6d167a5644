#include <sys/wait.h>

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "blobstore/documents.h"
#include "blobstore/store.h"
#include "tests/blobstore/store_fixture.h"

namespace imagefs::blobstore {
namespace {

bool run(const std::string& command) {
  return std::system((command + " >/dev/null 2>&1 </dev/null").c_str()) == 0;
}

boost::test_tools::assertion_result tools_are_installed(boost::unit_test::test_unit_id) {
  boost::test_tools::assertion_result result(run("command -v umoci") && run("command -v skopeo"));
  result.message() << "umoci and skopeo are not installed";
  return result;
}

const std::string kName = "docker.io/library/busybox:1";

// A store that umoci made, with one empty image of the bare tag "base".
struct UmociLayout : StoreFixture {
  UmociLayout() {
    BOOST_TEST_REQUIRE(run("umoci init --layout " + path.string()));
    BOOST_TEST_REQUIRE(run("umoci new --image " + path.string() + ":base"));
  }
};

BOOST_FIXTURE_TEST_SUITE(foreign_layouts, UmociLayout,
                         *boost::unit_test::precondition(tools_are_installed))

BOOST_AUTO_TEST_CASE(a_layout_of_umoci_opens_and_is_not_changed) {
  const auto before = files();
  const auto store = open();
  BOOST_TEST((files() == before));
  const auto images = store->read_index().images();
  BOOST_TEST_REQUIRE(images.size() == 1U);
  BOOST_TEST(!images[0].name.has_value());
  BOOST_TEST(store->referenced(images[0].descriptor).size() == store->blobs().size());
  BOOST_TEST(store->verify().empty());
  BOOST_TEST(store->collect(std::chrono::seconds(0), std::chrono::seconds(0)).blobs == 0U);
  BOOST_TEST((files() == before));
}

BOOST_AUTO_TEST_CASE(a_layout_of_skopeo_opens_and_keeps_its_images) {
  const std::string source = "oci:" + path.string() + ":base";
  path = directory.path() / "skopeo";
  BOOST_TEST_REQUIRE(
      run("skopeo --insecure-policy copy " + source + " oci:" + path.string() + ":" + kName));
  const auto before = files();
  const auto store = open();
  BOOST_TEST((files() == before));
  BOOST_TEST(store->read_index().images().at(0).name.value() == kName);

  const TestImage image = make_image(*store, "1");
  add(*store, image, "docker.io/library/ours:1");
  BOOST_TEST(store->read_index().images().size() == 2U);
  BOOST_TEST(store->verify().empty());
}

BOOST_AUTO_TEST_CASE(skopeo_writes_into_an_open_store_and_reads_it) {
  const auto source = directory.path() / "source";
  std::filesystem::rename(path, source);
  const auto store = open();
  add(*store, make_image(*store, "1"), "docker.io/library/ours:1");
  BOOST_TEST(run("skopeo --insecure-policy copy oci:" + source.string() +
                 ":base oci:" + path.string() + ":" + kName));
  BOOST_TEST(store->read_index().images().size() == 2U);
  BOOST_TEST(run("skopeo --insecure-policy inspect oci:" + path.string() + ":" + kName));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace imagefs::blobstore
