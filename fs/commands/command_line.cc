#include "fs/commands/command_line.h"

#include <CLI/CLI.hpp>
#include <chrono>
#include <functional>
#include <iostream>
#include <string>
#include <vector>

#include "blobstore/error.h"
#include "fs/commands/commands.h"
#include "fs/commands/default_store.h"
#include "fs/commands/mount_helper.h"
#include "fs/commands/text.h"
#include "fs/fuse_passthrough.h"
#include "fs/quantity.h"

namespace imagefs::fs::commands {
namespace {

constexpr int kUsage = 2;

// The words of the command line, as CLI11 fills them in.
struct Words {
  std::string store;
  std::vector<std::string> options;
  bool foreground = false;
  bool json = false;
  std::string mountpoint;
  std::string name;
  std::vector<std::string> arguments;
  std::string reference;
  std::string older_than = "7d";
  std::function<int()> command;

  [[nodiscard]] Path store_path() const { return store.empty() ? default_store() : Path(store); }
};

CLI::App* add_command(CLI::App& app, Words& words, const char* name, const char* what) {
  CLI::App* const command = app.add_subcommand(name, what);
  command
      ->add_option("--store", words.store,
                   "the store; without it /var/lib/imagefs for root, else\n"
                   "$XDG_DATA_HOME/imagefs or ~/.local/share/imagefs")
      ->type_name("DIR");
  return command;
}

MountOptions mount_options(const Words& words) {
  MountOptions options;
  options.store = words.store_path();
  options.mountpoint = words.mountpoint;
  try {
    for (const std::string& text : words.options) MountOptions::parse(text, options);
  } catch (const Error& error) {
    throw CLI::ValidationError(error.sentence());
  }
  return options;
}

void add_mount(CLI::App& app, Words& words) {
  CLI::App* const command = add_command(app, words, "mount", "show the store's images as files");
  command
      ->add_option("-o", words.options,
                   "options as in mount(8): ro,allow_other,umask=…, see imagefs(1)")
      ->type_name("OPTIONS")
      ->allow_extra_args(false);
  command->add_flag("-f", words.foreground, "stay in the foreground");
  command->add_option("MOUNTPOINT", words.mountpoint, "a directory")->type_name("")->required();
  command->callback([&words] {
    words.command = [options = mount_options(words), foreground = words.foreground] {
      return mount(options, foreground);
    };
  });
}

void add_import(CLI::App& app, Words& words) {
  CLI::App* const command = add_command(app, words, "import", "import image archives");
  command->add_option("--name", words.name, "the image's name, instead of those in the archive")
      ->type_name("REF");
  command
      ->add_option("FILE", words.arguments,
                   "Docker and OCI archives, directories that are OCI layouts; - is standard input")
      ->type_name("")
      ->required();
  command->callback([&words] {
    if (!words.name.empty() && words.arguments.size() > 1) {
      throw CLI::ValidationError("--name", "names one image: give one file");
    }
    words.command = [&words] {
      ImportArguments arguments{.store = words.store_path(), .files = words.arguments};
      if (!words.name.empty()) arguments.name = words.name;
      return import(arguments);
    };
  });
}

void add_ls(CLI::App& app, Words& words) {
  CLI::App* const command = add_command(app, words, "ls", "list the images");
  command->add_flag("--json", words.json, "as a JSON array");
  command->callback(
      [&words] { words.command = [&words] { return ls(words.store_path(), words.json); }; });
}

void add_rm(CLI::App& app, Words& words) {
  CLI::App* const command = add_command(app, words, "rm", "take names away; gc frees the space");
  command
      ->add_option("REF", words.arguments,
                   "NAME, NAME@sha256:…, or sha256:… of an image without a name")
      ->type_name("")
      ->required();
  command->callback(
      [&words] { words.command = [&words] { return rm(words.store_path(), words.arguments); }; });
}

void add_tag(CLI::App& app, Words& words) {
  CLI::App* const command = add_command(app, words, "tag", "give an image one more name");
  command
      ->add_option("REF", words.reference,
                   "NAME, NAME@sha256:…, or sha256:… of any manifest or index")
      ->type_name("")
      ->required();
  command->add_option("NEW", words.name, "the name to give")->type_name("")->required();
  command->callback([&words] {
    words.command = [&words] { return tag(words.store_path(), words.reference, words.name); };
  });
}

// A bare number would be seconds, which are rarely meant.
std::chrono::seconds parse_age(const std::string& text) {
  const auto age = parse_duration(text);
  if (!age) {
    throw CLI::ValidationError("--older-than", "is no time like 30m, 12h or 7d: " + text);
  }
  if (age->count() != 0 && parse_count(text)) {
    throw CLI::ValidationError("--older-than",
                               text + " has no unit: say " + text + "d for days (s, m, h, d or w)");
  }
  return *age;
}

void add_gc(CLI::App& app, Words& words) {
  CLI::App* const command =
      add_command(app, words, "gc", "remove untagged images and what no image refers to");
  command
      ->add_option("--older-than", words.older_than,
                   "keep younger untagged images: a number with s, m, h, d\n"
                   "or w behind it, as 12h; 0 keeps none")
      ->type_name("TIME")
      ->capture_default_str();
  command->callback([&words] {
    words.command = [&words, older_than = parse_age(words.older_than)] {
      return gc(words.store_path(), older_than);
    };
  });
}

void add_verify(CLI::App& app, Words& words) {
  CLI::App* const command = add_command(app, words, "verify", "reread every blob, list damage");
  command->callback([&words] { words.command = [&words] { return verify(words.store_path()); }; });
}

void add_status(CLI::App& app, Words& words) {
  CLI::App* const command =
      add_command(app, words, "status", "what a mount does, or a store holds");
  command->add_option("MOUNTPOINT", words.mountpoint, "without it: of the store")->type_name("");
  command->callback([&words] {
    words.command = [&words] {
      if (words.mountpoint.empty()) return status(words.store_path(), std::nullopt);
      return status({}, words.mountpoint);
    };
  });
}

// Standard output that could not be written is a failure too (`imagefs ls >/dev/full`).
int flushed(int exit_status) {
  if (std::cout.flush()) return exit_status;
  report("standard output: what was to be said could not be written");
  return 1;
}

int run_words(int argc, char** argv) {
  CLI::App app("Container images as files: imports image archives and shows them.", "imagefs");
  Words words;
  app.require_subcommand(0, 1);
  app.set_version_flag("--version", "imagefs " IMAGEFS_VERSION " (" + describe_libfuse() + ")");
  for (const auto add :
       {add_mount, add_import, add_ls, add_rm, add_tag, add_gc, add_verify, add_status}) {
    add(app, words);
  }
  try {
    app.parse(argc, argv);
    if (!words.command) throw CLI::RequiredError("a command");
  } catch (const CLI::Success& asked) {  // --help, --version
    return flushed(app.exit(asked));
  } catch (const CLI::ParseError& error) {
    report(std::string(error.what()) + " (try imagefs --help)");
    return kUsage;
  }
  return flushed(words.command());
}

}  // namespace

int run(int argc, char** argv) noexcept {
  try {
    return is_mount_helper(argc, argv) ? run_mount_helper(argc, argv) : run_words(argc, argv);
  } catch (const std::exception& error) {
    report(error.what());
    return 1;
  }
}

}  // namespace imagefs::fs::commands
