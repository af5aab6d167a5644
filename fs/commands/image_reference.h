// What REF and NEW mean on the command line.
//
//   sha256:<hex>              the image of that digest
//   busybox:1.36              the image of that name
//   busybox@sha256:<hex>      the image of that digest, by the names that it has in the repository
//   busybox:1.36@sha256:<hex> the image of that name, when that is its digest
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "blobstore/digest.h"
#include "blobstore/index.h"
#include "blobstore/reference.h"

namespace imagefs::fs::commands {

class ImageReference {
 public:
  // Throws Error{EINVAL} for what is none.
  explicit ImageReference(std::string text);

  [[nodiscard]] const std::string& text() const noexcept { return text_; }
  // Of a reference that is a digest and nothing else.
  [[nodiscard]] const std::optional<blobstore::Digest>& lone_digest() const noexcept {
    return lone_digest_;
  }
  // The entries that it means. A name that carries the digest is one of those that the image has in
  // the repository; where no image has that digest there, the name by itself is meant.
  [[nodiscard]] std::vector<blobstore::Image> find_in(const blobstore::Index& index) const;
  // Why find_in() finds nothing, a sentence.
  [[nodiscard]] std::string why_absent(const blobstore::Index& index) const;

 private:
  [[nodiscard]] bool fits(const blobstore::Image& image) const;

  std::string text_;
  std::optional<blobstore::Digest> lone_digest_;
  std::string name_;                                // normalised; empty: a lone digest
  std::optional<blobstore::Digest> digest_;         // that the name carries
  std::optional<blobstore::Reference> repository_;  // what stands before that, with its tag
  bool has_tag_ = false;
};

// A name to give, normalised. Throws Error{EINVAL} for what is no name or reads as a digest.
[[nodiscard]] blobstore::Reference parse_new_name(const std::string& text);

}  // namespace imagefs::fs::commands
