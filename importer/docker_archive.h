// Docker archives: `docker save`, and what skopeo, podman, kaniko and others write like it.
#pragma once

#include "importer/archive.h"
#include "importer/limits.h"
#include "importer/reading.h"

namespace imagefs::importer {

// By manifest.json. An entry that is not there makes the reading's `missing`; what is there and
// wrong throws Error.
[[nodiscard]] Reading read_docker_archive(Archive& archive, const Limits& limits);

}  // namespace imagefs::importer
