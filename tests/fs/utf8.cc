#include "fs/utf8.h"

#include <boost/test/unit_test.hpp>

using imagefs::fs::valid_utf8;

BOOST_AUTO_TEST_CASE(valid_text_stays) {
  BOOST_TEST(valid_utf8("a \xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80") ==
             "a \xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80");
}

BOOST_AUTO_TEST_CASE(each_invalid_byte_becomes_a_replacement_character) {
  const std::string bad = "\xef\xbf\xbd";
  BOOST_TEST(valid_utf8("a\xff"
                        "b") == "a" + bad + "b");
  BOOST_TEST(valid_utf8("\xc3") == bad);                                // cut
  BOOST_TEST(valid_utf8("\xc0\xaf") == bad + bad);                      // overlong
  BOOST_TEST(valid_utf8("\xed\xa0\x80") == bad + bad + bad);            // a surrogate
  BOOST_TEST(valid_utf8("\xf4\x90\x80\x80") == bad + bad + bad + bad);  // beyond U+10FFFF
}
