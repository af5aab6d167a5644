#include "fs/quantity.h"

#include <boost/test/unit_test.hpp>

using namespace imagefs::fs;
using std::chrono::seconds;

BOOST_AUTO_TEST_CASE(sizes_are_bytes_or_have_a_unit_of_1024) {
  BOOST_TEST(parse_size("0").value() == 0U);
  BOOST_TEST(parse_size("512").value() == 512U);
  BOOST_TEST(parse_size("2K").value() == 2048U);
  BOOST_TEST(parse_size("16777215T").value() == 16777215ULL << 40);
}

BOOST_AUTO_TEST_CASE(what_is_no_size_or_does_not_fit_is_nothing) {
  for (const char* text : {"", "K", "-1", "+1", " 1", "1 ", "1k", "1KB", "1.5G", "0x10",
                           "16777216T", "18446744073709551616"}) {
    BOOST_TEST(!parse_size(text).has_value(), text);
  }
}

BOOST_AUTO_TEST_CASE(durations_are_seconds_or_have_a_unit) {
  BOOST_TEST((parse_duration("90").value() == seconds(90)));
  BOOST_TEST((parse_duration("90s").value() == seconds(90)));
  BOOST_TEST((parse_duration("2m").value() == seconds(120)));
  BOOST_TEST((parse_duration("1h").value() == seconds(3'600)));
  BOOST_TEST((parse_duration("7d").value() == seconds(604'800)));
  BOOST_TEST((parse_duration("1w").value() == seconds(604'800)));
  BOOST_TEST(!parse_duration("7 d").has_value());
  BOOST_TEST(!parse_duration("18446744073709551615w").has_value());
}

BOOST_AUTO_TEST_CASE(sizes_are_shown_in_the_unit_that_fits) {
  BOOST_TEST(format_size(0) == "0 B");
  BOOST_TEST(format_size(1'023) == "1023 B");
  BOOST_TEST(format_size(1'024) == "1.0 KiB");
  BOOST_TEST(format_size((1U << 20) - 1) == "1.0 MiB");
  BOOST_TEST(format_size(~0ULL) == "16.0 EiB");
}

BOOST_AUTO_TEST_CASE(durations_are_shown_in_two_units_at_most) {
  BOOST_TEST(format_duration(seconds(8)) == "8 s");
  BOOST_TEST(format_duration(seconds(200)) == "3 min 20 s");
  BOOST_TEST(format_duration(seconds(7'500)) == "2 h 5 min");
}
