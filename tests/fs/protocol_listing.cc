// Listings: each name once, whatever the size of the reader's buffer and wherever it goes on.
#include <sys/stat.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <map>

#include "tests/fs/protocol_fixture.h"

namespace imagefs::fs::test {
namespace {

constexpr auto kLibrary = "images/docker.io/library";
constexpr std::uint32_t kPage = 4096;

using Names = std::vector<std::string>;

Names names_of(const std::vector<DirectoryEntry>& entries) {
  Names names;
  for (const DirectoryEntry& entry : entries) names.push_back(entry.name);
  return names;
}

struct ListingFixture : ProtocolFixture {
  std::vector<DirectoryEntry> page(NodeId directory, std::uint64_t offset, std::uint32_t size) {
    const Reply reply = client->call(call::readdir(directory, offset, size));
    BOOST_REQUIRE_EQUAL(reply.errno_value, 0);
    BOOST_TEST(reply.body.size() <= size);
    return names_in(reply.body);
  }
  std::vector<DirectoryEntry> page_plus(NodeId directory, std::uint64_t offset,
                                        std::uint32_t size) {
    const Reply reply = client->call(call::readdirplus(directory, offset, size));
    BOOST_REQUIRE_EQUAL(reply.errno_value, 0);
    BOOST_TEST(reply.body.size() <= size);
    return nodes_in(reply.body);
  }
  // All of it in pages of `size` bytes; at most 1000.
  template <typename Page>
  static std::vector<DirectoryEntry> all(const Page& page) {
    std::vector<DirectoryEntry> entries;
    std::uint64_t offset = 0;
    for (int i = 0; i < 1000; ++i) {
      const auto more = page(offset);
      if (more.empty()) return entries;
      entries.insert(entries.end(), more.begin(), more.end());
      offset = entries.back().next;
    }
    BOOST_FAIL("the listing has no end");
    return entries;
  }
  std::vector<DirectoryEntry> list(NodeId directory, std::uint32_t size = kPage) {
    return all([&](std::uint64_t offset) { return page(directory, offset, size); });
  }
  std::vector<DirectoryEntry> list_plus(NodeId directory, std::uint32_t size = kPage) {
    return all([&](std::uint64_t offset) { return page_plus(directory, offset, size); });
  }
  void add_images(int count) {
    for (int i = 0; i < count; ++i) {
      made.add_image("docker.io/library/image" + std::to_string(i) + ":1",
                     "seed" + std::to_string(i));
    }
  }
};

BOOST_FIXTURE_TEST_SUITE(protocol_listing, ListingFixture)

BOOST_AUTO_TEST_CASE(the_root_lists_a_layout_and_the_rest) {
  start();
  const auto entries = list(kRootNode);
  BOOST_TEST(names_of(entries) == (Names{".", "..", ".imagefs", "blobs", "images", "index.json",
                                         "oci-layout", "ingest"}),
             boost::test_tools::per_element());
  for (const DirectoryEntry& entry : entries) {
    const bool is_file = entry.name == "index.json" || entry.name == "oci-layout";
    BOOST_TEST(entry.type == (is_file ? S_IFREG : S_IFDIR), entry.name);
  }
}

BOOST_AUTO_TEST_CASE(every_directory_lists_the_same_in_pages_of_any_size) {
  add_images(9);
  start();
  (void)create("x.tar");
  (void)create("y.tar");
  const std::string image = std::string(kLibrary) + "/image3:1";
  for (const std::string& path :
       {std::string("images"), std::string(kLibrary), image, image + "/layers",
        std::string("blobs/sha256"), std::string("ingest"), std::string(".imagefs")}) {
    BOOST_TEST_CONTEXT(path) {
      const NodeId directory = find(path);
      const Names whole = names_of(list(directory, 1 << 16));
      BOOST_TEST(whole.size() > 2U);
      BOOST_TEST(std::ranges::count(whole, ".") == 1);
      // From the size on that the longest name here needs: 24 bytes and 64.
      for (const std::uint32_t size : {88U, 96U, 127U, 300U, 4096U}) {
        BOOST_TEST(names_of(list(directory, size)) == whole, boost::test_tools::per_element());
      }
      for (const std::uint32_t size : {216U, 300U, 4096U}) {
        BOOST_TEST(names_of(list_plus(directory, size)) == whole, boost::test_tools::per_element());
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_listing_goes_on_after_any_of_its_names) {
  add_images(9);
  start();
  for (const std::string& path :
       {std::string(""), std::string(kLibrary), std::string(kLibrary) + "/image3:1"}) {
    const NodeId directory = path.empty() ? kRootNode : find(path);
    const auto whole = list(directory);
    for (std::size_t i = 0; i < whole.size(); ++i) {
      const auto rest = page(directory, whole[i].next, 1 << 16);
      BOOST_TEST(names_of(rest) ==
                     names_of({whole.begin() + static_cast<std::ptrdiff_t>(i) + 1, whole.end()}),
                 boost::test_tools::per_element());
    }
  }
}

BOOST_AUTO_TEST_CASE(beyond_its_end_a_listing_is_empty) {
  add_images(3);
  start();
  for (const auto* path : {"images", kLibrary, "images/docker.io/library/image1:1",
                           "images/docker.io/library/image1:1/layers", "ingest", "blobs/sha256"}) {
    const NodeId directory = find(path);
    for (const std::uint64_t offset : {1ULL << 63, (1ULL << 63) + 5, ~0ULL - 1, ~0ULL}) {
      BOOST_TEST_CONTEXT(path << " after " << offset) {
        BOOST_TEST(page(directory, offset, kPage).empty());
        BOOST_TEST(page_plus(directory, offset, kPage).empty());
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_buffer_without_room_for_a_name_stays_empty) {
  start();
  for (const std::uint32_t size : {0U, 1U, 23U, 31U}) {
    BOOST_TEST(page(kRootNode, 0, size).empty());
    BOOST_TEST(page_plus(kRootNode, 0, size).empty());
  }
}

BOOST_AUTO_TEST_CASE(a_name_that_comes_between_two_pages_moves_no_other) {
  add_images(6);
  start();
  const NodeId library = find(kLibrary);
  const Names before = names_of(list(library));
  auto entries = page(library, 0, 200);
  BOOST_REQUIRE(!entries.empty());
  BOOST_REQUIRE(entries.size() < before.size());
  BOOST_REQUIRE_EQUAL(copy("a.tar", archive_of("base", "aaa:1")), 0);
  const auto rest = page(library, entries.back().next, 1 << 16);
  entries.insert(entries.end(), rest.begin(), rest.end());
  std::map<std::string, int> counts;
  for (const DirectoryEntry& entry : entries) ++counts[entry.name];
  for (const std::string& name : before) BOOST_TEST(counts[name] == 1, name);
}

BOOST_AUTO_TEST_CASE(readdirplus_gives_what_a_lookup_gives) {
  add_images(2);
  start();
  const std::string image = std::string(kLibrary) + "/image1:1";
  for (const std::string& path : {std::string(kLibrary), image}) {
    int nodes = 0;
    for (const DirectoryEntry& entry : list_plus(find(path))) {
      if (entry.node == 0) continue;  // "." and "..", and what takes longer to look at
      BOOST_TEST(find(path + "/" + entry.name) == entry.node);
      ++nodes;
    }
    BOOST_TEST(nodes > 0);
  }
}

BOOST_AUTO_TEST_CASE(readdirplus_counts_as_one_lookup_of_each_name_it_gives) {
  add_images(3);
  start();
  const NodeId library = find(kLibrary);
  const auto entries = page_plus(library, 0, 600);  // not all of them fit
  std::vector<std::pair<NodeId, std::uint64_t>> known;
  for (const DirectoryEntry& entry : entries) {
    if (entry.node != 0) known.emplace_back(entry.node, 1);
  }
  BOOST_REQUIRE(!known.empty());
  for (const auto& [node, times] : known) {
    BOOST_TEST(client->call(call::getattr(node)).errno_value == 0);
  }
  client->send(call::batch_forget(known));
  for (const DirectoryEntry& entry : list(library)) {
    if (entry.name == "." || entry.name == "..") continue;
    BOOST_TEST(client->call(call::getattr(entry.node)).errno_value == ESTALE, entry.name);
  }
}

BOOST_AUTO_TEST_CASE(who_goes_on_listing_without_looking_at_files_is_given_names_alone) {
  add_images(1);
  start();
  const std::string image = std::string(kLibrary) + "/image0:1";
  const NodeId directory = find(image);
  const auto count_nodes = [&] {
    const auto entries = list_plus(directory, 1 << 16);
    BOOST_TEST(names_of(entries) == names_of(list(directory)));
    return std::ranges::count_if(entries, [](const auto& entry) { return entry.node != 0; });
  };
  BOOST_TEST(count_nodes() > 0);
  for (int i = 0; i < 200; ++i) count_nodes();
  BOOST_TEST(count_nodes() == 0);
  find(image + "/layers");
  BOOST_TEST(count_nodes() == 0);
  find(image + "/config.json");
  BOOST_TEST(count_nodes() > 0);
}

BOOST_AUTO_TEST_CASE(a_directory_is_opened_without_asking) {
  start();
  BOOST_TEST(client->call(call::opendir(kRootNode)).errno_value == ENOSYS);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace imagefs::fs::test
