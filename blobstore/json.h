// Strict reading of JSON that strangers wrote (Boost.JSON, made stricter).
//
// Refused, each with a sentence that names the document and the place: anything but exactly one
// value, duplicate keys, a byte order mark, invalid UTF-8, lone surrogates, nesting deeper than 32,
// numbers that do not fit.
#pragma once

#include <boost/json/fwd.hpp>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace imagefs::blobstore::json {

// More than any document of one image has. A value takes some 100 bytes of memory.
inline constexpr std::size_t kMaxValues = 200'000;

// `what` names the document in errors ("manifest.json"). Throws Error{EINVAL}; Error{EFBIG} when
// there are more values.
[[nodiscard]] boost::json::value parse(std::string_view bytes, const std::string& what,
                                       std::size_t max_values = kMaxValues);

// Typed access; each throws Error{EINVAL} that names `what` and the key when the type is another.
// A key that is absent or null is nothing. Keys are matched exactly; a member whose key differs
// from `key` only by case is refused.
[[nodiscard]] const boost::json::object& as_object(const boost::json::value& value,
                                                   const std::string& what);
[[nodiscard]] const boost::json::value* find(const boost::json::object& object,
                                             std::string_view key, const std::string& what);
[[nodiscard]] std::optional<std::string> find_string(const boost::json::object& object,
                                                     std::string_view key, const std::string& what);
[[nodiscard]] const boost::json::array* find_array(const boost::json::object& object,
                                                   std::string_view key, const std::string& what);
// A whole number of 0 or more, written as an integer ("1e3" is refused).
[[nodiscard]] std::optional<std::uint64_t> find_size(const boost::json::object& object,
                                                     std::string_view key, const std::string& what);

}  // namespace imagefs::blobstore::json
