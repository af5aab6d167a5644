#include "fs/mount_options.h"

#include <boost/test/unit_test.hpp>
#include <cerrno>

#include "blobstore/error.h"

using imagefs::Error;
using imagefs::fs::MountOptions;

namespace {

MountOptions parsed(const std::string& text) {
  MountOptions options;
  MountOptions::parse(text, options);
  return options;
}

// Whether `text` is refused by a sentence that contains `word`.
bool refused(const std::string& text, const std::string& word) {
  try {
    parsed(text);
    return false;
  } catch (const Error& error) {
    return error.errno_value() == EINVAL && error.sentence().find(word) != std::string::npos;
  }
}

}  // namespace

BOOST_AUTO_TEST_CASE(no_options_change_nothing) {
  const MountOptions options = parsed("");
  BOOST_TEST(!options.read_only);
  BOOST_TEST(!options.allow_other);
  BOOST_TEST(!options.uid.has_value());
  BOOST_TEST(options.kernel_options.empty());
}

BOOST_AUTO_TEST_CASE(each_option_sets_its_member) {
  const MountOptions options =
      parsed("allow_other,uid=1000,gid=0,umask=077,drop=/srv/drop,platform=linux/aarch64,ro");
  BOOST_TEST(options.allow_other);
  BOOST_TEST(options.read_only);
  BOOST_TEST(options.uid.value() == 1000U);
  BOOST_TEST(options.gid.value() == 0U);
  BOOST_TEST(options.umask == 077U);
  BOOST_TEST(options.drop.value() == "/srv/drop");
  BOOST_TEST(options.platform.str() == "linux/arm64");
}

BOOST_AUTO_TEST_CASE(the_last_of_ro_and_rw_wins) {
  BOOST_TEST(!parsed("ro,rw").read_only);
  BOOST_TEST(parsed("rw,ro").read_only);
}

BOOST_AUTO_TEST_CASE(limits_take_sizes_with_units) {
  const auto limits =
      parsed("max_json=1,max_config=2K,max_layer=3M,max_archive=4G,min_free=5T,ratio_after=6")
          .limits;
  BOOST_TEST(limits.max_json == 1U);
  BOOST_TEST(limits.max_config == 2048U);
  BOOST_TEST(limits.max_layer == 3U << 20);
  BOOST_TEST(limits.max_archive == 4ULL << 30);
  BOOST_TEST(limits.min_free == 5ULL << 40);
  BOOST_TEST(limits.ratio_after == 6U);
}

BOOST_AUTO_TEST_CASE(limits_take_counts) {
  const MountOptions options = parsed(
      "max_ratio=7,max_entries=6,max_layers=5,max_manifests=4,max_depth=3,max_imports=2,"
      "idle_timeout=1m");
  BOOST_TEST(options.limits.max_ratio == 7U);
  BOOST_TEST(options.limits.max_entries == 6U);
  BOOST_TEST(options.limits.max_layers == 5U);
  BOOST_TEST(options.limits.max_manifests == 4U);
  BOOST_TEST(options.limits.max_depth == 3U);
  BOOST_TEST(options.max_imports == 2U);
  BOOST_TEST(options.idle_timeout == 60U);
}

BOOST_AUTO_TEST_CASE(what_mount_and_systemd_pass_to_every_helper_is_ignored) {
  const MountOptions options = parsed(
      "rw,dev,suid,exec,auto,noauto,user,user=me,_netdev,nofail,defaults,nosuid,nodev,"
      "x-systemd.automount,x-systemd.requires=network.target,X-mount.mkdir,comment=hello");
  BOOST_TEST(options.kernel_options.empty());
}

BOOST_AUTO_TEST_CASE(options_of_the_kernel_are_handed_on) {
  const MountOptions options = parsed("noatime,context=\"system_u:object_r:t:s0:c1,c2\",noexec");
  const std::vector<std::string> expected = {"noatime", "context=\"system_u:object_r:t:s0:c1,c2\"",
                                             "noexec"};
  BOOST_TEST(options.kernel_options == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_backslash_keeps_a_comma_in_a_value) {
  BOOST_TEST(parsed("drop=/a\\,b,ro").drop.value() == "/a,b");
}

BOOST_AUTO_TEST_CASE(an_unknown_option_is_refused_by_its_name) {
  BOOST_TEST(refused("ro,alow_other", "alow_other"));
  BOOST_TEST(refused("allow_other=1", "allow_other=1"));
  BOOST_TEST(refused("max_everything=1", "max_everything"));
}

BOOST_AUTO_TEST_CASE(a_value_that_makes_no_sense_is_refused_by_its_option) {
  for (const char* text :
       {"uid", "uid=", "uid=-1", "uid=4294967295", "uid=me", "umask=8", "umask=1777",
        "drop=", "max_json=1e3", "max_json=-1", "max_json=99999999999T", "max_json=K",
        "max_layers=2K", "platform=", "idle_timeout=soon"}) {
    const std::string option = text;
    BOOST_TEST(refused(option, option.substr(0, option.find('='))), option);
  }
}
