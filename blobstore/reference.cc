#include "blobstore/reference.h"

#include <algorithm>
#include <cerrno>
#include <utility>
#include <variant>

#include "blobstore/error.h"

// The grammar and the order of the checks are those of github.com/distribution/reference 0.6.
namespace imagefs::blobstore {
namespace {

constexpr std::string_view kDefaultDomain = "docker.io";
constexpr std::string_view kLegacyDomain = "index.docker.io";
constexpr std::string_view kOfficial = "library/";
constexpr std::size_t kMaxPath = 255;
constexpr std::size_t kMinDigestHex = 32;
constexpr const char* kBadFormat = "invalid reference format";

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_lower_alnum(char c) { return is_lower(c) || is_digit(c); }
bool is_alnum(char c) { return is_lower_alnum(c) || is_upper(c); }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

template <typename Predicate>
bool all(std::string_view text, Predicate predicate) {
  return std::all_of(text.begin(), text.end(), predicate);
}

// Whether `text` is a list of `separator`-separated parts that each satisfy `predicate`.
template <typename Predicate>
bool each_part(std::string_view text, char separator, Predicate predicate) {
  for (;;) {
    const std::size_t end = text.find(separator);
    if (!predicate(text.substr(0, end))) return false;
    if (end == std::string_view::npos) return true;
    text.remove_prefix(end + 1);
  }
}

// One ".", one or two "_", or any number of "-".
bool is_separator(std::string_view text) {
  return text == "." || text == "_" || text == "__" ||
         (!text.empty() && all(text, [](char c) { return c == '-'; }));
}

// [a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*
bool is_path_component(std::string_view text) {
  while (!text.empty()) {
    const auto word = std::find_if_not(text.begin(), text.end(), is_lower_alnum);
    if (word == text.begin()) return false;
    if (word == text.end()) return true;
    text.remove_prefix(static_cast<std::size_t>(word - text.begin()));
    const auto next = std::find_if(text.begin(), text.end(), is_lower_alnum);
    const auto length = static_cast<std::size_t>(next - text.begin());
    if (!is_separator(text.substr(0, length))) return false;
    text.remove_prefix(length);
  }
  return false;
}

bool is_path(std::string_view text) { return each_part(text, '/', is_path_component); }

bool is_domain_component(std::string_view text) {
  return !text.empty() && is_alnum(text.front()) && is_alnum(text.back()) &&
         all(text, [](char c) { return is_alnum(c) || c == '-'; });
}

bool is_ipv6(std::string_view text) {
  return text.size() > 2 && text.front() == '[' && text.back() == ']' &&
         all(text.substr(1, text.size() - 2), [](char c) { return is_hex(c) || c == ':'; });
}

bool is_domain(std::string_view text) {
  const std::size_t colon = text.find(':', text.starts_with('[') ? text.find(']') : 0);
  if (colon != std::string_view::npos) {
    const std::string_view port = text.substr(colon + 1);
    if (port.empty() || !all(port, is_digit)) return false;
    text = text.substr(0, colon);
  }
  return is_ipv6(text) || each_part(text, '.', is_domain_component);
}

bool is_algorithm_component(std::string_view text) {
  return !text.empty() && !is_digit(text.front()) && all(text, is_alnum);
}

// [A-Za-z][A-Za-z0-9]*([-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}
bool has_digest_form(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return false;
  std::string algorithm(text.substr(0, colon));
  std::replace_if(
      algorithm.begin(), algorithm.end(), [](char c) { return c == '_' || c == '+' || c == '.'; },
      '-');
  const std::string_view hex = text.substr(colon + 1);
  return each_part(algorithm, '-', is_algorithm_component) && hex.size() >= kMinDigestHex &&
         all(hex, is_hex);
}

// What go-digest's Validate says of a text that has the form of a digest; nothing: it is valid.
const char* digest_fault(std::string_view text) {
  const std::size_t colon = text.find(':');
  const std::string_view algorithm = text.substr(0, colon);
  if (algorithm != "sha256") {
    return std::any_of(algorithm.begin(), algorithm.end(), is_upper)
               ? "invalid checksum digest format"
               : "unsupported digest algorithm";
  }
  if (text.size() - colon - 1 != 2 * Digest::kSize) return "invalid checksum digest length";
  return Digest::parse(text) ? nullptr : "invalid checksum digest format";
}

struct Split {
  std::string domain;
  std::string remainder;
};

// splitDockerDomain: the first component is a domain when it can be no path component, or is
// "localhost".
Split split_domain(std::string_view text) {
  const std::size_t slash = text.find('/');
  const std::string_view first = text.substr(0, slash);
  const bool has_domain =
      slash != std::string_view::npos &&
      (first.find_first_of(".:") != std::string_view::npos || first == "localhost" ||
       std::any_of(first.begin(), first.end(), is_upper));
  Split split{std::string(has_domain ? first : kDefaultDomain),
              std::string(has_domain ? text.substr(slash + 1) : text)};
  if (split.domain == kLegacyDomain) split.domain = kDefaultDomain;
  if (split.domain == kDefaultDomain && split.remainder.find('/') == std::string::npos) {
    split.remainder.insert(0, kOfficial);
  }
  return split;
}

struct Parts {
  std::string domain;
  std::string path;
  std::string tag;
  std::string digest;
};

// What follows the path, "[:tag][@digest]", by form alone.
bool read_suffix(std::string_view text, Parts& parts) {
  if (text.starts_with(':')) {
    const std::size_t end = text.find('@');
    parts.tag = text.substr(1, end == std::string_view::npos ? end : end - 1);
    if (!is_tag(parts.tag)) return false;
    text.remove_prefix(std::min(end, text.size()));
  }
  if (text.starts_with('@')) {
    parts.digest = text.substr(1);
    return has_digest_form(parts.digest);
  }
  return text.empty();
}

// ReferenceRegexp on "<domain>/<remainder>". A first component that looks like a domain and is none
// ("test_com.x/foo") becomes part of the path, and the name has no domain.
std::optional<Parts> match(const Split& split) {
  Parts parts;
  const std::size_t end = std::min(split.remainder.find_first_of(":@"), split.remainder.size());
  parts.path = split.remainder.substr(0, end);
  if (!read_suffix(std::string_view(split.remainder).substr(end), parts)) return std::nullopt;
  if (!is_path(parts.path)) return std::nullopt;
  if (is_domain(split.domain)) {
    parts.domain = split.domain;
    return parts;
  }
  if (!is_path(split.domain)) return std::nullopt;
  parts.path = split.domain + "/" + parts.path;
  return parts;
}

Split lower(Split split) {
  for (char& c : split.domain) {
    if (is_upper(c)) c = static_cast<char>(c - 'A' + 'a');
  }
  return split;
}

using Result = std::variant<Parts, std::string>;  // or the reason why not

Result read(std::string_view text) {
  if (text.size() == 2 * Digest::kSize && Digest::from_hex(text)) {
    return "invalid repository name (" + std::string(text) +
           "), cannot specify 64-byte hexadecimal strings";
  }
  const Split split = split_domain(text);
  const std::string repository = split.remainder.substr(0, split.remainder.find(':'));
  if (std::any_of(repository.begin(), repository.end(), is_upper)) {
    return std::string(kBadFormat) + ": repository name (" + repository + ") must be lowercase";
  }
  std::optional<Parts> parts = match(split);
  if (!parts) return match(lower(split)) ? "repository name must be lowercase" : kBadFormat;
  if (parts->path.size() > kMaxPath) return "repository name must not be more than 255 characters";
  if (!parts->digest.empty()) {
    if (const char* fault = digest_fault(parts->digest)) return fault;
  }
  return *std::move(parts);
}

std::string suffix_of(const Parts& parts) {
  if (!parts.digest.empty()) return "@" + parts.digest;
  return ":" + (parts.tag.empty() ? "latest" : parts.tag);
}

}  // namespace

Reference::Reference(std::string domain, std::string path, std::string suffix)
    : domain_(std::move(domain)), path_(std::move(path)), suffix_(std::move(suffix)) {}

Reference Reference::parse(std::string_view text) {
  Result result = read(text);
  if (const auto* reason = std::get_if<std::string>(&result)) {
    throw Error(EINVAL, "\"" + std::string(text) + "\" is no image name: " + *reason);
  }
  auto& parts = std::get<Parts>(result);
  return Reference(parts.domain, parts.path, suffix_of(parts));
}

std::optional<Reference> Reference::try_parse(std::string_view text) {
  Result result = read(text);
  const auto* parts = std::get_if<Parts>(&result);
  if (!parts) return std::nullopt;
  return Reference(parts->domain, parts->path, suffix_of(*parts));
}

std::string Reference::str() const {
  return domain_.empty() ? path_ + suffix_ : domain_ + "/" + path_ + suffix_;
}

std::string Reference::familiar() const {
  if (domain_ != kDefaultDomain) return str();
  const bool official =
      path_.starts_with(kOfficial) && path_.find('/', kOfficial.size()) == std::string::npos;
  return (official ? path_.substr(kOfficial.size()) : path_) + suffix_;
}

void check_digest_in(const Reference& name, const Digest& image) {
  if (!name.suffix().starts_with('@') || name.suffix() == "@" + image.str()) return;
  throw Error(EINVAL, "\"" + name.str() + "\" cannot be the name of " + image.str() +
                          ": it carries another digest");
}

bool is_tag(std::string_view text) {
  constexpr std::size_t kMaxTag = 128;
  return !text.empty() && text.size() <= kMaxTag &&
         (is_alnum(text.front()) || text.front() == '_') &&
         all(text, [](char c) { return is_alnum(c) || c == '_' || c == '.' || c == '-'; });
}

}  // namespace imagefs::blobstore
