// The indexes of an import's layers, put where rootfs/ looks for them.
#pragma once

#include "blobstore/store.h"
#include "importer/reading.h"

namespace imagefs::importer {

// After the commit: gives the layers' indexes their names in cache/index/. What fails is noted in
// `reading`, as is what the indexes leave out: an index that is missing is made when it is needed.
void publish_indexes(const blobstore::Store& store, Reading& reading);

}  // namespace imagefs::importer
