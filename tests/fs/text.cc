#include "fs/commands/text.h"

#include <boost/test/unit_test.hpp>

#include "fs/commands/progress_bar.h"

using namespace imagefs::fs::commands;

BOOST_AUTO_TEST_CASE(control_characters_are_shown_and_not_sent) {
  BOOST_TEST(printable("a\x1b[2Jb\n") == "a\\x1b[2Jb\\x0a");
  BOOST_TEST(printable("\x7f") == "\\x7f");
  BOOST_TEST(printable("\xc2\x9b"
                       "31m") == "\\xc2\\x9b31m");
}

BOOST_AUTO_TEST_CASE(other_text_is_shown_as_it_is) {
  BOOST_TEST(printable("docker.io/library/busybox:1.36") == "docker.io/library/busybox:1.36");
  BOOST_TEST(printable("größe \xc2\xa0") == "größe \xc2\xa0");
}

BOOST_AUTO_TEST_CASE(columns_are_as_wide_as_their_widest_cell) {
  BOOST_TEST(aligned({{"NAME", "SIZE"}, {"busybox", "1"}}) == "NAME     SIZE\nbusybox  1\n");
}

BOOST_AUTO_TEST_CASE(nouns_are_counted) {
  BOOST_TEST(counted(1, "image") == "1 image");
  BOOST_TEST(counted(0, "blob") == "0 blobs");
}

BOOST_AUTO_TEST_CASE(a_progress_line_says_part_rate_time_left_and_entry) {
  const std::string line =
      progress_line("a.tar", {.done = 50U << 20, .total = 100U << 20, .what = "layer.tar"},
                    std::chrono::seconds(5), 200);
  BOOST_TEST(line == "a.tar [##########          ]  50 %  10.0 MiB/s  5 s left  layer.tar");
}

BOOST_AUTO_TEST_CASE(a_progress_line_without_a_total_says_how_much) {
  const std::string line = progress_line("-", {.done = 2048}, std::chrono::seconds(2), 200);
  BOOST_TEST(line == "- 2.0 KiB  1.0 KiB/s");
}

BOOST_AUTO_TEST_CASE(a_progress_line_is_never_wider_than_the_terminal) {
  const std::string line =
      progress_line(std::string(100, 'x'), {.done = 1, .total = 2}, std::chrono::seconds(1), 79);
  BOOST_TEST(line.size() == 79U);
}
