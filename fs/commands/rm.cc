#include <iostream>

#include "blobstore/store.h"
#include "fs/commands/commands.h"
#include "fs/commands/image_reference.h"
#include "fs/commands/text.h"

namespace imagefs::fs::commands {
namespace {

// What happened to the references, in their order.
struct Outcome {
  std::vector<std::string> removed;
  std::vector<std::string> failures;  // a sentence each
};

std::string names_of(const std::vector<blobstore::Image>& images) {
  std::string names;
  for (const blobstore::Image& image : images) names += (names.empty() ? "" : ", ") + *image.name;
  return names;
}

void remove_names(blobstore::Index& index, const ImageReference& reference, Outcome& outcome) {
  const auto images = reference.find_in(index);
  if (images.empty()) outcome.failures.push_back(reference.why_absent(index));
  for (const blobstore::Image& image : images) {
    if (index.remove_name(*image.name)) outcome.removed.push_back(*image.name);
  }
}

void remove_untagged(blobstore::Index& index, const ImageReference& reference, Outcome& outcome) {
  if (index.remove_untagged(*reference.lone_digest())) {
    outcome.removed.push_back(reference.text());
    return;
  }
  const auto named = reference.find_in(index);
  outcome.failures.push_back(named.empty() ? reference.why_absent(index)
                                           : reference.text() + ": it has " +
                                                 (named.size() == 1 ? "the name " : "the names ") +
                                                 names_of(named) + ": remove " +
                                                 (named.size() == 1 ? "that" : "those"));
}

}  // namespace

int rm(const Path& store, const std::vector<std::string>& texts) {
  const std::vector<ImageReference> references(texts.begin(), texts.end());
  Outcome outcome;
  blobstore::Store::open(store, blobstore::Store::Access::read_write_existing)
      ->commit({}, [&](blobstore::Index& index) {
        for (const ImageReference& reference : references) {
          const auto& remove = reference.lone_digest() ? remove_untagged : remove_names;
          remove(index, reference, outcome);
        }
      });
  for (const std::string& removed : outcome.removed) {
    std::cout << "removed " << printable(removed) << '\n';
  }
  for (const std::string& failure : outcome.failures) report(failure);
  return outcome.failures.empty() ? 0 : 1;
}

}  // namespace imagefs::fs::commands
