#include "importer/reading.h"

#include <cerrno>

#include "importer/docker_archive.h"
#include "importer/oci_archive.h"

namespace imagefs::importer {

Reading read_documents(Archive& archive, const Limits& limits, const std::string& file_name,
                       bool all) {
  Reading reading;
  if (!archive.find_root(all)) {
    reading.missing.emplace(EINVAL, archive.describe());
    return reading;
  }
  // Of an archive that has no use for it too, index.json is a file or nothing.
  static_cast<void>(archive.find_control_file("index.json"));
  const bool docker = archive.find_control_file("manifest.json") != nullptr;
  if (archive.find_control_file("oci-layout")) {
    reading = read_oci_archive(archive, limits, file_name,
                               {.has_manifest_json = docker, .has_ended = all});
    if (!reading.missing || !docker) return reading;
  }
  if (!all && archive.may_become_layout()) {
    if (!reading.missing) reading.missing.emplace(ENODATA, "the image layout is not whole yet");
    return reading;
  }
  return read_docker_archive(archive, limits);
}

}  // namespace imagefs::importer
