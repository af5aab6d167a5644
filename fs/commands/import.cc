#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <iostream>
#include <memory>

#include "blobstore/error.h"
#include "fs/commands/commands.h"
#include "fs/commands/image_reference.h"
#include "fs/commands/progress_bar.h"
#include "fs/commands/text.h"
#include "fs/descriptor_limit.h"
#include "importer/file_source.h"
#include "importer/importer.h"
#include "importer/layout_source.h"

namespace imagefs::fs::commands {
namespace {

struct Archive {
  std::string label;       // for people
  std::string file_name;   // empty: it has none
  std::uint64_t size = 0;  // bytes; 0: not known
  std::unique_ptr<importer::ByteSource> source;
};

UniqueFd open_input(const std::string& file) {
  if (file != "-") return UniqueFd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (::isatty(STDIN_FILENO) == 1) {
    throw Error(EINVAL, "a terminal holds no archive: redirect a file or a pipe");
  }
  return UniqueFd(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3));
}

// "layout" for "layout/" and for "." in it.
std::string name_of(const std::string& file) {
  return std::filesystem::canonical(file).filename().string();
}

Archive open_archive(const std::string& file) {
  UniqueFd fd = open_input(file);
  if (!fd) throw Error(errno, std::generic_category().message(errno));
  struct stat attributes{};
  if (::fstat(fd.get(), &attributes) != 0) throw_errno("fstat");
  Archive archive;
  if (S_ISDIR(attributes.st_mode)) {
    auto layout = std::make_unique<importer::LayoutSource>(std::move(fd));
    archive.size = layout->size();
    archive.source = std::move(layout);
    archive.file_name = name_of(file);
  } else {
    if (S_ISREG(attributes.st_mode)) archive.size = static_cast<std::uint64_t>(attributes.st_size);
    archive.source = std::make_unique<importer::FileSource>(std::move(fd));
    if (file != "-") archive.file_name = Path(file).filename();
  }
  archive.label = file == "-" ? "standard input" : archive.file_name;
  return archive;
}

importer::Outcome import_with_progress(importer::Importer& importer, Archive& archive) {
  const auto bar = ProgressBar::on_terminal(archive.label, [&importer, size = archive.size] {
    auto [bytes, entry] = importer.progress();
    return ProgressSample{.done = bytes, .total = size, .what = std::move(entry)};
  });
  return importer.run(*archive.source);
}

void print(const std::string& file, const importer::Outcome& outcome) {
  for (const std::string& note : outcome.notes) report(file + ": note: " + note);
  for (const auto& image : outcome.images) {
    const std::string digest = image.descriptor.digest.str();
    for (const std::string& name : image.names) {
      std::cout << "imported " << name << ' ' << digest << '\n';
    }
    if (image.names.empty()) std::cout << "imported <none> " << digest << '\n';
  }
  std::cout.flush();
}

bool import_one(blobstore::Store& store, const ImportArguments& arguments,
                const std::string& file) {
  try {
    Archive archive = open_archive(file);
    importer::Importer importer(
        store, {.limits = {}, .file_name = archive.file_name, .name = arguments.name});
    print(file, import_with_progress(importer, archive));
    return true;
  } catch (const Error& error) {
    report(file + ": " + error.sentence());
    return false;
  }
}

}  // namespace

int import(const ImportArguments& arguments) {
  if (arguments.name) static_cast<void>(parse_new_name(*arguments.name));
  const auto store = blobstore::Store::open(arguments.store, blobstore::Store::Access::read_write);
  raise_descriptor_limit();
  bool all_good = true;
  for (const std::string& file : arguments.files) {
    all_good = import_one(*store, arguments, file) && all_good;
  }
  return all_good ? 0 : 1;
}

}  // namespace imagefs::fs::commands
