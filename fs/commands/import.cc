#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <iostream>

#include "blobstore/error.h"
#include "fs/commands/commands.h"
#include "fs/commands/progress_bar.h"
#include "fs/commands/text.h"
#include "fs/descriptor_limit.h"
#include "importer/file_source.h"
#include "importer/importer.h"

namespace imagefs::fs::commands {
namespace {

struct Archive {
  std::string label;      // for people
  std::string file_name;  // empty: it has none
  UniqueFd fd;
  std::uint64_t size = 0;  // bytes; 0: not known
};

UniqueFd open_input(const std::string& file) {
  if (file != "-") return UniqueFd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (::isatty(STDIN_FILENO) == 1) {
    throw Error(EINVAL, "a terminal holds no archive: redirect a file or a pipe");
  }
  return UniqueFd(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3));
}

Archive open_archive(const std::string& file) {
  Archive archive;
  archive.fd = open_input(file);
  if (!archive.fd) throw Error(errno, std::generic_category().message(errno));
  struct stat attributes{};
  if (::fstat(archive.fd.get(), &attributes) != 0) throw_errno("fstat");
  if (S_ISDIR(attributes.st_mode)) throw Error(EISDIR, "is a directory, not an archive");
  if (S_ISREG(attributes.st_mode)) archive.size = static_cast<std::uint64_t>(attributes.st_size);
  if (file != "-") archive.file_name = Path(file).filename();
  archive.label = file == "-" ? "standard input" : archive.file_name;
  return archive;
}

importer::Outcome import_with_progress(importer::Importer& importer, Archive archive) {
  importer::FileSource source(std::move(archive.fd));
  const auto bar = ProgressBar::on_terminal(archive.label, [&importer, size = archive.size] {
    auto [bytes, entry] = importer.progress();
    return ProgressSample{.done = bytes, .total = size, .what = std::move(entry)};
  });
  return importer.run(source);
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
    print(file, import_with_progress(importer, std::move(archive)));
    return true;
  } catch (const Error& error) {
    report(file + ": " + error.sentence());
    return false;
  }
}

}  // namespace

int import(const ImportArguments& arguments) {
  const auto store = blobstore::Store::open(arguments.store, blobstore::Store::Access::read_write);
  raise_descriptor_limit();
  bool all_good = true;
  for (const std::string& file : arguments.files) {
    all_good = import_one(*store, arguments, file) && all_good;
  }
  return all_good ? 0 : 1;
}

}  // namespace imagefs::fs::commands
