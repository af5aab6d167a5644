// What TarReader makes of any bytes, Python's tarfile makes of them too; or TarReader refuses them.
//
// Before tarfile sees a header, the fields that nobody compares are emptied: one that it cannot
// read is the end of the archive to it.
#include "importer/tar_reader.h"

#include <Python.h>

#include <clocale>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "blobstore/error.h"
#include "tests/fuzz/mend_checksums.h"
#include "tests/fuzz/pieces.h"

namespace {

namespace importer = imagefs::importer;

// entries_of(archive): the lines that ours() makes; the last is "refused" when more can't be read.
constexpr const char* kReference = R"(
import io, tarfile

def compared(block):  # without the fields that nobody compares
    if len(block) != 512 or tarfile.nti(block[148:156]) not in tarfile.calc_chksums(block):
        return block
    magic = block[257:265]
    prefix = block[345:500] if magic.startswith(b'ustar\0') else bytes(155)
    type = b'0' if block[156] == 0 else block[156:157]  # a slash that marks a directory may be in a later name
    start = block[:100] + bytes(24) + block[124:136] + bytes(12)
    end = type + block[157:265] + bytes(80) + prefix + bytes(12)
    return start + b'%06o\0 ' % tarfile.calc_chksums(start + bytes(8) + end)[0] + end

class Entry(tarfile.TarInfo):
    @classmethod
    def frombuf(cls, block, encoding, errors):
        return super().frombuf(compared(block), encoding, errors)

    @classmethod
    def _frombuf(cls, block, encoding, errors, **options):  # what newer versions read headers by
        return super()._frombuf(compared(block), encoding, errors, **options)

    def _proc_pax(self, tar):  # reads what pads the records, too, and would take junk for the archive's end
        try:
            return super()._proc_pax(tar)
        except tarfile.HeaderError as error:
            raise ValueError from error

def line(entry, archive):
    text = lambda name: name.rstrip('/').encode('utf-8', 'surrogateescape')
    type = b'0' if entry.isreg() or entry.isdir() else entry.type
    size = entry.size if entry.isreg() or entry.type not in tarfile.SUPPORTED_TYPES else 0
    link = text(entry.linkname) if entry.islnk() or entry.issym() else b''
    data = archive[entry.offset_data:entry.offset_data + size]
    return b'%s "%s" "%s" %d: %s\n' % (type, text(entry.name), link, size, data)

def entries_of(archive):
    lines = []
    try:
        with tarfile.open(fileobj=io.BytesIO(archive), mode='r:', tarinfo=Entry, encoding='utf-8') as tar:
            lines.extend(line(entry, archive) for entry in tar if entry.type != b'V')  # a volume's label
    except Exception:
        lines.append(b'refused')
    return b''.join(lines)
)";

std::string without_slashes(std::string name) {
  name.erase(name.find_last_not_of('/') + 1);
  return name;
}

// Nothing: refused, or without an entry.
std::optional<std::string> ours(std::span<const std::byte> archive, std::size_t piece_size) try {
  imagefs::fuzz::Pieces source(archive, piece_size);
  importer::TarReader tar(source);
  std::string lines;
  while (const auto entry = tar.next()) {
    const char type = entry->type == '7' || entry->type == '5' ? '0' : entry->type;
    const bool is_link = type == '1' || type == '2';
    lines += type + (" \"" + without_slashes(entry->name)) + "\" \"" +
             without_slashes(is_link ? entry->link : "") + "\" " + std::to_string(entry->size) +
             ": ";
    for (auto piece = tar.data(); !piece.empty(); piece = tar.data())
      lines.append(reinterpret_cast<const char*>(piece.data()), piece.size());
    lines += '\n';
  }
  if (lines.empty() || !tar.entry_whole()) return std::nullopt;
  return lines;
} catch (const imagefs::Error& error) {
  if (error.sentence().empty()) std::abort();
  return std::nullopt;
}

// tarfile's function; the interpreter lives as long as the process.
PyObject* start_reference() {
  Py_InitializeEx(0);
  std::setlocale(LC_ALL, "C");  // imagefs sets none
  PyObject* const names = PyDict_New();
  PyObject* const done = PyRun_String(kReference, Py_file_input, names, names);
  PyObject* const function = PyDict_GetItemString(names, "entries_of");
  if (done == nullptr || function == nullptr) std::abort();
  return function;
}

std::string theirs(std::span<const std::byte> archive) {
  static PyObject* const function = start_reference();
  PyObject* const bytes = PyBytes_FromStringAndSize(reinterpret_cast<const char*>(archive.data()),
                                                    static_cast<Py_ssize_t>(archive.size()));
  PyObject* const lines = PyObject_CallFunctionObjArgs(function, bytes, nullptr);
  if (lines == nullptr) std::abort();
  std::string text(PyBytes_AsString(lines), static_cast<std::size_t>(PyBytes_Size(lines)));
  Py_DECREF(bytes);
  Py_DECREF(lines);
  return text;
}

// A reader that refuses an archive in the middle has misunderstood nothing.
bool agree(std::string_view we, std::string_view they) {
  constexpr std::string_view refused = "refused";
  if (!they.ends_with(refused)) return we == they;
  they.remove_suffix(refused.size());
  return we.starts_with(they);
}

}  // namespace

// Python keeps what it has until the process ends.
extern "C" const char* __asan_default_options() { return "detect_leaks=0"; }

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto archive = std::as_bytes(std::span(data, size));
  const auto we = ours(archive, size);
  if (we != ours(archive, 509)) std::abort();
  if (!we) return 0;
  const std::string they = theirs(archive);
  if (!agree(*we, they)) {
    std::fprintf(stderr, "tarfile:\n%s\nours:\n%s\n", they.c_str(), we->c_str());
    std::abort();
  }
  return 0;
}
