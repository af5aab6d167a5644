#include "blobstore/json.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/object.hpp>
#include <boost/json/string.hpp>
#include <boost/json/value.hpp>
#include <boost/json/value_stack.hpp>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <utility>
#include <vector>

#include "blobstore/error.h"

namespace imagefs::blobstore::json {
namespace {

namespace bj = boost::json;

constexpr std::size_t kMaxDepth = 32;

// Builds the value as boost::json::parser does, and finds what that lets pass.
class StrictHandler {
 public:
  static constexpr std::size_t max_object_size = bj::object::max_size();
  static constexpr std::size_t max_array_size = bj::array::max_size();
  static constexpr std::size_t max_key_size = bj::string::max_size();
  static constexpr std::size_t max_string_size = bj::string::max_size();
  using Code = bj::error_code;

  explicit StrictHandler(std::size_t max_values) : max_values_(max_values) {}

  // Why the parse was stopped; empty when it was the parser's own error.
  [[nodiscard]] const std::string& fault() const noexcept { return fault_; }
  [[nodiscard]] bool too_many() const noexcept { return values_ > max_values_; }
  [[nodiscard]] bj::value release() { return stack_.release(); }

  bool on_document_begin(Code&) {
    // Given back to the system at once, however many values there are.
    stack_.reset(bj::make_shared_resource<bj::monotonic_resource>());
    return true;
  }
  bool on_document_end(Code&) { return true; }
  bool on_object_begin(Code&) {
    objects_.push_back(keys_.size());
    return true;
  }
  bool on_object_end(std::size_t size, Code& code) {
    if (!check_keys(code)) return false;
    stack_.push_object(size);
    return count(code);
  }
  bool on_array_begin(Code&) { return true; }
  bool on_array_end(std::size_t size, Code& code) {
    stack_.push_array(size);
    return count(code);
  }
  bool on_key_part(bj::string_view part, std::size_t, Code&) {
    key_.append(part);
    stack_.push_chars(part);
    return true;
  }
  bool on_key(bj::string_view part, std::size_t, Code&) {
    keys_.push_back(std::exchange(key_, {}).append(part));
    stack_.push_key(part);
    return true;
  }
  bool on_string_part(bj::string_view part, std::size_t, Code&) {
    stack_.push_chars(part);
    return true;
  }
  bool on_string(bj::string_view part, std::size_t, Code& code) {
    stack_.push_string(part);
    return count(code);
  }
  bool on_number_part(bj::string_view part, Code&) {
    number_.append(part);
    return true;
  }
  bool on_int64(std::int64_t number, bj::string_view, Code& code) { return push(number, code); }
  bool on_uint64(std::uint64_t number, bj::string_view, Code& code) { return push(number, code); }
  bool on_double(double number, bj::string_view part, Code& code) {
    const std::string text = std::exchange(number_, {}).append(part);
    // Without a fraction or an exponent it is an integer that does not fit in 64 bits.
    if (!std::isfinite(number) || text.find_first_of(".eE") == std::string::npos) {
      return stop("the number " + text.substr(0, 40) + " does not fit", code);
    }
    // What Boost.JSON makes of many digits is not the nearest: written and read it would drift.
    (void)std::from_chars(text.data(), text.data() + text.size(), number);
    stack_.push_double(number);
    return count(code);
  }
  bool on_bool(bool flag, Code& code) {
    stack_.push_bool(flag);
    return count(code);
  }
  bool on_null(Code& code) {
    stack_.push_null();
    return count(code);
  }
  bool on_comment_part(bj::string_view, Code&) { return true; }
  bool on_comment(bj::string_view, Code&) { return true; }

 private:
  bool stop(std::string fault, Code& code) {
    fault_ = std::move(fault);
    code = bj::error::exception;
    return false;
  }
  bool count(Code& code) {
    if (++values_ <= max_values_) return true;
    return stop("it holds more than " + std::to_string(max_values_) + " values", code);
  }
  template <typename Integer>
  bool push(Integer number, Code& code) {
    number_.clear();
    if constexpr (std::is_signed_v<Integer>) {
      stack_.push_int64(number);
    } else {
      stack_.push_uint64(number);
    }
    return count(code);
  }
  // The keys of the object that ends are the last ones; they must all differ.
  bool check_keys(Code& code) {
    const auto first = keys_.begin() + static_cast<std::ptrdiff_t>(objects_.back());
    std::sort(first, keys_.end());
    const auto twice = std::adjacent_find(first, keys_.end());
    if (twice != keys_.end()) return stop("the key \"" + *twice + "\" stands twice", code);
    keys_.erase(first, keys_.end());
    objects_.pop_back();
    return true;
  }

  bj::value_stack stack_;
  std::vector<std::string> keys_;     // of all objects that are open
  std::vector<std::size_t> objects_;  // where in keys_ those of each open object begin
  std::string key_;
  std::string number_;
  std::string fault_;
  const std::size_t max_values_;
  std::size_t values_ = 0;
};

using Parser = bj::basic_parser<StrictHandler>;

[[noreturn]] void fail(const std::string& what, const std::string& why) {
  throw Error(EINVAL, what + ": " + why);
}

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

[[noreturn]] void fail_syntax(Parser& parser, const bj::error_code& code, std::size_t offset,
                              const std::string& what) {
  const StrictHandler& handler = parser.handler();
  const std::string where = " (near byte " + std::to_string(offset) + ")";
  if (handler.too_many()) throw Error(EFBIG, what + ": " + handler.fault());
  if (!handler.fault().empty()) fail(what, handler.fault() + where);
  fail(what, "is no valid JSON: " + code.message() + where);
}

std::string folded(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

[[noreturn]] void fail_type(const std::string& what, std::string_view key, const char* wanted) {
  fail(what, "\"" + std::string(key) + "\" is no " + wanted);
}

}  // namespace

bj::value parse(std::string_view bytes, const std::string& what, std::size_t max_values) {
  if (bytes.starts_with("\xEF\xBB\xBF")) fail(what, "begins with a byte order mark");
  if (std::all_of(bytes.begin(), bytes.end(), is_space)) fail(what, "is empty");
  bj::parse_options options;
  options.max_depth = kMaxDepth;
  Parser parser(options, max_values);
  bj::error_code code;
  const std::size_t used = parser.write_some(false, bytes.data(), bytes.size(), code);
  if (code) fail_syntax(parser, code, used, what);
  if (!std::all_of(bytes.begin() + static_cast<std::ptrdiff_t>(used), bytes.end(), is_space)) {
    fail(what, "something follows the JSON value (at byte " + std::to_string(used) + ")");
  }
  return parser.handler().release();
}

const bj::object& as_object(const bj::value& value, const std::string& what) {
  if (const auto* object = value.if_object()) return *object;
  fail(what, "is no JSON object");
}

const bj::value* find(const bj::object& object, std::string_view key, const std::string& what) {
  const std::string wanted = folded(key);
  const bj::value* found = nullptr;
  for (const auto& member : object) {
    const std::string_view name = member.key();
    if (name == key) {
      found = &member.value();
    } else if (name.size() == key.size() && folded(name) == wanted) {
      fail(what, "has \"" + std::string(name) + "\" where \"" + std::string(key) + "\" is meant");
    }
  }
  return found && found->is_null() ? nullptr : found;
}

std::optional<std::string> find_string(const bj::object& object, std::string_view key,
                                       const std::string& what) {
  const bj::value* value = find(object, key, what);
  if (!value) return std::nullopt;
  if (!value->is_string()) fail_type(what, key, "string");
  return std::string(std::string_view(value->get_string()));
}

const bj::array* find_array(const bj::object& object, std::string_view key,
                            const std::string& what) {
  const bj::value* value = find(object, key, what);
  if (!value) return nullptr;
  if (!value->is_array()) fail_type(what, key, "array");
  return &value->get_array();
}

std::optional<std::uint64_t> find_size(const bj::object& object, std::string_view key,
                                       const std::string& what) {
  const bj::value* value = find(object, key, what);
  if (!value) return std::nullopt;
  if (value->is_uint64()) return value->get_uint64();
  if (value->is_int64() && value->get_int64() >= 0) {
    return static_cast<std::uint64_t>(value->get_int64());
  }
  fail_type(what, key, "whole number of 0 or more");
}

}  // namespace imagefs::blobstore::json
