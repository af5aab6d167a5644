#include "blobstore/json.h"

#include <sys/resource.h>

#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <string>

#include "blobstore/error.h"

namespace imagefs::blobstore {
namespace {

constexpr std::size_t kLong = 20 << 20;  // bytes: the largest document that is read

std::string repeated(std::string_view text, std::size_t size) {
  std::string result;
  while (result.size() < size) result += text;
  return result;
}

Error error_of(const std::string& text) {
  try {
    (void)json::parse(text, "manifest.json");
  } catch (const Error& error) {
    return error;
  }
  return Error(0, "accepted");
}

long peak_kib() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

BOOST_AUTO_TEST_SUITE(strict_json)

BOOST_AUTO_TEST_CASE(values_of_every_kind_are_read) {
  const boost::json::value value = json::parse(
      R"( {"a":[1,-2,3.5,1e3,18446744073709551615],"b":{"c":null,"d":true},"e":"\u00e9\ud83d\ude00"} )",
      "x");
  const boost::json::object object = json::as_object(value, "x");
  BOOST_TEST(json::find_array(object, "a", "x")->size() == 5U);
  BOOST_TEST(json::find_string(object, "e", "x").value() == "\xC3\xA9\xF0\x9F\x98\x80");
  BOOST_TEST((json::find(object, "absent", "x") == nullptr));
}

BOOST_AUTO_TEST_CASE(numbers_stay_when_they_are_written_and_read) {
  const std::string six(54, '6');
  for (const std::string& number : {"-1.5" + six + "3", std::string("0.1"), std::string("1e-400"),
                                    std::string("2.2250738585072011e-308"), "1" + six + ".25"}) {
    const boost::json::value read = json::parse("[" + number + "]", "index.json");
    const std::string written = boost::json::serialize(read);
    BOOST_TEST(boost::json::serialize(json::parse(written, "index.json")) == written);
    BOOST_TEST(read.at(0).as_double() == std::strtod(number.c_str(), nullptr));
  }
}

BOOST_AUTO_TEST_CASE(what_is_not_strictly_one_value_is_refused) {
  const std::string table[] = {"",
                               " \n\t",
                               "{",
                               "[1",
                               "nul",
                               "{}x",
                               "{} {}",
                               "[],",
                               "\xEF\xBB\xBF{}",
                               "'a'",
                               "{a:1}",
                               "[1,]",
                               "{\"a\":1,}",
                               "// c\n{}",
                               "[01]",
                               "[+1]",
                               "[.5]",
                               "[1.]",
                               "[NaN]",
                               "[Infinity]",
                               "[\"\xFF\"]",
                               "[\"\xC0\x80\"]",
                               "[\"\xED\xA0\x80\"]",
                               R"(["\ud800"])",
                               R"(["\udc00"])",
                               R"(["\ud800\u0041"])",
                               R"(["\x41"])",
                               "[\"a\nb\"]",
                               std::string("[\"a\0b\"]", 7),
                               std::string("{}\0", 3),
                               R"({"a":1,"a":1})",
                               R"({"a":1,"\u0061":2})",
                               R"([{"x":{"b":1,"c":2,"b":3}}])",
                               "[1e400]",
                               "[-1e400]",
                               "[18446744073709551616]",
                               "[-9223372036854775809]"};
  for (const std::string& text : table) {
    const Error error = error_of(text);
    BOOST_TEST(error.errno_value() == EINVAL, text << " gives " << error.sentence());
    BOOST_TEST(error.sentence().starts_with("manifest.json: "), error.sentence());
  }
}

BOOST_AUTO_TEST_CASE(a_duplicate_key_is_named) {
  BOOST_TEST(error_of(R"({"config":1,"layers":2,"config":3})").sentence().find("\"config\"") !=
             std::string::npos);
  BOOST_TEST(error_of(R"({"a":{"k":1},"b":{"k":1},"c":[{"k":1},{"k":1}]})").errno_value() == 0);
}

BOOST_AUTO_TEST_CASE(nesting_is_bounded) {
  BOOST_TEST(error_of(std::string(32, '[') + std::string(32, ']')).errno_value() == 0);
  BOOST_TEST(error_of(std::string(33, '[') + std::string(33, ']')).errno_value() == EINVAL);
}

BOOST_AUTO_TEST_CASE(hostile_text_does_not_take_memory) {
  const std::string table[] = {repeated("[", kLong),           repeated(" ", kLong),
                               "[" + repeated("{},", kLong),   "[" + repeated("0,", kLong),
                               "[" + repeated("[[]],", kLong), "[" + repeated("\"\",", kLong),
                               repeated("{\"a\":", kLong)};
  const long before = peak_kib();
  for (const std::string& text : table) {
    const int value = error_of(text).errno_value();
    BOOST_TEST((value == EINVAL || value == EFBIG), text.substr(0, 8));
  }
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  BOOST_TEST(peak_kib() - before < 48 * 1024);
#else
  (void)before;
#endif
}

BOOST_AUTO_TEST_CASE(a_key_in_another_case_is_refused) {
  const boost::json::value value = json::parse(R"({"Config":1,"layers":[]})", "x");
  const boost::json::object object = json::as_object(value, "x");
  BOOST_CHECK_THROW((void)json::find(object, "config", "x"), Error);
  BOOST_TEST((json::find(object, "Config", "x") != nullptr));
  BOOST_CHECK_THROW((void)json::find_array(object, "Layers", "x"), Error);
}

BOOST_AUTO_TEST_CASE(a_size_is_a_whole_number_written_as_one) {
  const auto size = [](const std::string& number) {
    const boost::json::value value = json::parse("{\"size\":" + number + "}", "x");
    return json::find_size(value.as_object(), "size", "x");
  };
  BOOST_TEST(size("0").value() == 0U);
  BOOST_TEST(size("18446744073709551615").value() == 18446744073709551615U);
  BOOST_TEST(!size("null").has_value());
  for (const char* number : {"-1", "1e3", "1.0", "\"1\"", "true", "[]"}) {
    BOOST_CHECK_THROW((void)size(number), Error);
  }
}

BOOST_AUTO_TEST_CASE(a_wrong_type_is_an_error_that_names_document_and_key) {
  const boost::json::value value = json::parse(R"({"a":1})", "x");
  const auto names_both = [](const Error& error) {
    return error.errno_value() == EINVAL && error.sentence() == "x: \"a\" is no string";
  };
  BOOST_CHECK_EXCEPTION((void)json::find_string(value.as_object(), "a", "x"), Error, names_both);
  BOOST_CHECK_THROW((void)json::find_array(value.as_object(), "a", "x"), Error);
  BOOST_CHECK_THROW((void)json::as_object(json::parse("[]", "x"), "x"), Error);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace imagefs::blobstore
