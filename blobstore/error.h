// The one way in which imagefs reports failure.
//
//   throw Error(EBADMSG, "layer 3: the bytes hash to sha256:…, the manifest says sha256:…");
//
// An Error carries an errno value, which FUSE hands to the writer, and a sentence that a person can
// act on: it says what was found and where. Absence is std::optional, never an Error. Each edge (a
// FUSE operation, a callback of a C library, a thread, main) catches once.
#pragma once

#include <string>
#include <system_error>

namespace imagefs {

class Error : public std::system_error {
 public:
  // `errno_value`: an errno constant, the class of the failure. `sentence`: without a final
  // newline; kept as shortened() gives it.
  Error(int errno_value, std::string sentence);

  [[nodiscard]] int errno_value() const noexcept { return code().value(); }
  // The sentence alone, without the text of the errno value.
  [[nodiscard]] const std::string& sentence() const noexcept { return sentence_; }
  [[nodiscard]] const char* what() const noexcept override { return sentence_.c_str(); }

 private:
  std::string sentence_;
};

// At most 2,000 bytes: of more the middle is left out, where strangers' names and keys stand.
[[nodiscard]] std::string shortened(std::string text);

// Throws Error with the current errno and the sentence "<what>: <text of errno>".
[[noreturn]] void throw_errno(const std::string& what);

}  // namespace imagefs
