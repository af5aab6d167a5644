// Random stacks of layers, against a reference that applies them one after the other.
#include <boost/test/unit_test.hpp>
#include <map>
#include <random>

#include "fs/overlay.h"
#include "tests/support/layer_index_of.h"
#include "tests/support/layer_reference.h"

namespace imagefs::fs {
namespace {

using tests::ReferenceNode;
using tests::TarEntry;

class RandomLayers {
 public:
  explicit RandomLayers(unsigned seed) : random_(seed) {}

  std::vector<TarEntry> layer() {
    std::vector<TarEntry> entries(below(12));
    for (TarEntry& entry : entries) entry = this->entry();
    return entries;
  }
  std::size_t below(std::size_t end) { return random_() % end; }

 private:
  std::string path() {
    std::string path;
    for (std::size_t depth = below(3) + 1; depth > 0; --depth) {
      path += (path.empty() ? "" : "/") + std::string(1, static_cast<char>('a' + below(3)));
    }
    return path;
  }

  TarEntry entry() {
    ++number_;
    TarEntry entry{.name = path(), .mode = 0600, .mtime = number_};
    switch (below(8)) {
      case 0:
      case 1:
        entry.type = '5';
        if (below(8) == 0) entry.name.clear();
        break;
      case 2:
      case 3:
        entry.type = '1';
        entry.link = path();
        break;
      case 4:
        return whiteout(entry);
      case 5:
        entry.type = '2';
        entry.link = path();
        break;
      default:
        entry.data = std::string(static_cast<std::size_t>(number_), 'd');
    }
    return entry;
  }

  TarEntry whiteout(TarEntry entry) {
    if (below(3) == 0) {
      entry.name = below(4) == 0 ? ".wh..wh..opq" : entry.name + "/.wh..wh..opq";
    } else {
      entry.name.insert(entry.name.size() - 1, ".wh.");
    }
    return entry;
  }

  std::mt19937 random_;
  std::int64_t number_ = 0;
};

// Compares the merged view with the reference, name by name.
class Comparison {
 public:
  Comparison(const Overlay& overlay, const ReferenceNode& root) : overlay_(overlay) {
    count_names(root);
    directory(overlay.root(), root);
  }

 private:
  void count_names(const ReferenceNode& node) {
    for (const auto& [name, child] : node.children) {
      ++names_[child.get()];
      count_names(*child);
    }
  }

  // In one go, and with each name in a call of its own.
  std::vector<std::string> list(const Overlay::Directory& directory) {
    std::vector<std::string> names;
    overlay_.list(directory, 0, [&](const Overlay::Listed& listed) {
      names.emplace_back(listed.name);
      return true;
    });
    std::vector<std::string> paged;
    std::uint64_t offset = 0;
    for (bool more = true; more;) {
      more = false;
      overlay_.list(directory, offset, [&](const Overlay::Listed& listed) {
        paged.emplace_back(listed.name);
        offset = listed.next;
        more = true;
        return false;
      });
    }
    BOOST_CHECK_EQUAL_COLLECTIONS(names.begin(), names.end(), paged.begin(), paged.end());
    return names;
  }

  void directory(const Overlay::Directory& directory, const ReferenceNode& node) {
    BOOST_CHECK_EQUAL(directory.attributes.has_value(), node.mtime != 0);
    if (const auto sole = overlay_.sole_entry(directory)) {
      BOOST_CHECK(overlay_.directory(*sole) == directory);
    }
    if (directory.attributes) {
      BOOST_CHECK_EQUAL(overlay_.record(*directory.attributes).mtime, node.mtime);
    }
    const auto names = list(directory);
    std::vector<std::string> expected;
    for (const auto& [name, child] : node.children) expected.push_back(name);
    BOOST_CHECK_EQUAL_COLLECTIONS(names.begin(), names.end(), expected.begin(), expected.end());
    for (const char* name : {"a", "b", "c"}) {
      BOOST_TEST_CONTEXT("name " << name) {
        const auto found = overlay_.lookup(directory, name);
        const auto child = node.children.find(name);
        BOOST_REQUIRE_EQUAL(found.has_value(), child != node.children.end());
        if (found) this->found(*found, *child->second);
      }
    }
  }

  void found(const Overlay::Found& found, const ReferenceNode& node) {
    if (const auto* child = std::get_if<Overlay::Directory>(&found)) {
      BOOST_REQUIRE_EQUAL(node.type, '5');
      return directory(*child, node);
    }
    BOOST_REQUIRE_NE(node.type, '5');
    const auto entry = std::get<Overlay::Entry>(found);
    const auto& record = overlay_.record(entry);
    BOOST_CHECK_EQUAL(record.mtime, node.mtime);
    BOOST_CHECK_EQUAL(record.size, node.type == '2' ? node.link.size() : node.size);
    BOOST_CHECK(inodes_.emplace(entry, &node).first->second == &node);
    BOOST_CHECK_EQUAL(overlay_.count_names(entry), names_[&node]);
  }

  const Overlay& overlay_;
  std::map<const ReferenceNode*, std::uint32_t> names_;
  std::map<Overlay::Entry, const ReferenceNode*> inodes_;
};

void compare_stack(unsigned seed) {
  RandomLayers random(seed);
  tests::ReferenceTree reference;
  Overlay::Layers indexes;
  for (std::size_t layers = random.below(4) + 1; layers > 0; --layers) {
    const auto entries = random.layer();
    tests::LayerWriter layer;
    for (TarEntry entry : entries) {
      if (entry.name.empty()) entry.name = "./";
      layer.add(entry);
    }
    indexes.push_back(tests::index_of(layer.str()));
    reference.apply(entries);
  }
  Comparison(Overlay(indexes), *reference.root());
}

BOOST_AUTO_TEST_CASE(random_stacks_of_layers_look_as_if_applied_one_after_the_other) {
  for (unsigned seed = 0; seed < 5000; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) { compare_stack(seed); }
  }
}

}  // namespace
}  // namespace imagefs::fs
