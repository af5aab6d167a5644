#include "fs/commands/mount_helper.h"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <string>
#include <string_view>

#include "blobstore/error.h"
#include "blobstore/unique_fd.h"
#include "fs/commands/commands.h"
#include "fs/commands/default_store.h"

namespace imagefs::fs::commands {
namespace {

// mount(8) -N: a mount namespace, by the process that lives in it or by its file.
void enter_namespace(const std::string& name) {
  const bool is_pid = name.find_first_not_of("0123456789") == std::string::npos;
  const std::string path = is_pid ? "/proc/" + name + "/ns/mnt" : name;
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd || ::setns(fd.get(), CLONE_NEWNS) != 0) throw_errno("mount namespace " + name);
}

std::filesystem::path store_named(const std::string& source) {
  return source == "imagefs" || source == "none" ? default_store() : std::filesystem::path(source);
}

}  // namespace

bool is_mount_helper(int argc, char* const* argv) {
  if (argc == 0) return false;
  const std::string self = std::filesystem::path(argv[0]).filename();
  if (self.starts_with("mount.")) return true;
  return argc >= 4 && argv[1][0] != '-' && std::string_view(argv[3]).starts_with("-o");
}

int run_mount_helper(int argc, char** argv) {
  MountOptions options;
  bool fake = false;
  for (int flag = 0; (flag = ::getopt(argc, argv, "sfnvN:o:t:")) != -1;) {
    switch (flag) {
      case 'f':
        fake = true;
        break;
      case 'N':
        enter_namespace(optarg);
        break;
      case 'o':
        MountOptions::parse(optarg, options);
        break;
      case 's':
      case 'n':
      case 'v':
      case 't':
        break;  // nothing here depends on them
      default:
        throw Error(EINVAL, "mount helper: arguments that mount(8) does not give");
    }
  }
  if (argc - optind != 2) throw Error(EINVAL, "mount helper: a store and a mountpoint are needed");
  options.store = store_named(argv[optind]);
  options.mountpoint = argv[optind + 1];
  return fake ? 0 : mount(std::move(options), false);
}

}  // namespace imagefs::fs::commands
