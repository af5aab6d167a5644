#include "fs/timestamp.h"

#include <boost/test/unit_test.hpp>

using imagefs::fs::format_timestamp;
using imagefs::fs::parse_timestamp;

BOOST_AUTO_TEST_CASE(rfc_3339_times_are_read) {
  BOOST_TEST(parse_timestamp("1970-01-02T00:00:01Z")->tv_sec == 86401);
  BOOST_TEST(parse_timestamp("1970-01-02T01:00:01+01:00")->tv_sec == 86401);
  BOOST_TEST(parse_timestamp("1970-01-01T22:30:01-01:30")->tv_sec == 86401);
  BOOST_TEST(parse_timestamp("2024-05-01T12:00:00.123456789012Z")->tv_nsec == 123456789);
}

BOOST_AUTO_TEST_CASE(other_texts_are_no_times) {
  for (const char* text : {"", "now", "2024-05-01", "2024-05-01T12:00:00", "2024-05-01T12:00:00+1",
                           "2024-05-01T12:00:00Zx", "2024-05-01T12:00:00+-1:00"}) {
    BOOST_TEST(!parse_timestamp(text).has_value(), text);
  }
}

BOOST_AUTO_TEST_CASE(a_time_is_written_as_it_is_read) {
  BOOST_TEST(format_timestamp(86401) == "1970-01-02T00:00:01Z");
}
