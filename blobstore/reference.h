// Image names, as docker.io's distribution/reference (ParseDockerRef) reads and normalises them.
//
//   Reference::parse("busybox:1.36")->str()  ==  "docker.io/library/busybox:1.36"
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "blobstore/digest.h"

namespace imagefs::blobstore {

class Reference {
 public:
  // Normalised: without a tag ":latest"; with a tag and a digest the digest only (ParseDockerRef).
  // Throws Error{EINVAL} with the reason, naming `text`.
  [[nodiscard]] static Reference parse(std::string_view text);
  // The same, nothing instead of an Error.
  [[nodiscard]] static std::optional<Reference> try_parse(std::string_view text);

  // "docker.io"; empty for the rare name whose first component looks like a domain and is none, but
  // may stand in a path ("test_com.x/foo").
  [[nodiscard]] const std::string& domain() const noexcept { return domain_; }
  [[nodiscard]] const std::string& path() const noexcept { return path_; }  // "library/busybox"
  // ":1.36" or "@sha256:…": what follows domain and path.
  [[nodiscard]] const std::string& suffix() const noexcept { return suffix_; }
  [[nodiscard]] std::string str() const;  // the normalised name in full
  // Docker's short form: "busybox:1.36".
  [[nodiscard]] std::string familiar() const;

 private:
  Reference(std::string domain, std::string path, std::string suffix);
  std::string domain_;
  std::string path_;
  std::string suffix_;
};

// Throws Error{EINVAL} when the name carries another digest than that of the image it is to name.
void check_digest_in(const Reference& name, const Digest& image);

// Whether `text` is a tag by the grammar ([\w][\w.-]{0,127}).
[[nodiscard]] bool is_tag(std::string_view text);

}  // namespace imagefs::blobstore
