// Any bytes are imported whole or refused whole: after each run the store is sound.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <span>
#include <string>

#include "blobstore/error.h"
#include "blobstore/store.h"
#include "importer/importer.h"
#include "tests/fuzz/mend_checksums.h"
#include "tests/fuzz/pieces.h"

namespace {

namespace blobstore = imagefs::blobstore;
namespace fuzz = imagefs::fuzz;
namespace importer = imagefs::importer;

// A store in memory, one for the process; emptied after each import.
class FuzzStore {
 public:
  FuzzStore() {
    std::string path = "/dev/shm/imagefs-fuzz-XXXXXX";
    if (::mkdtemp(path.data()) == nullptr) std::abort();
    path_ = path;
    store_ = blobstore::Store::open(path_, blobstore::Store::Access::read_write);
  }
  ~FuzzStore() { std::filesystem::remove_all(path_); }
  blobstore::Store& operator*() { return *store_; }

  void empty() {
    store_->commit({}, [](blobstore::Index& index) {
      for (const blobstore::Image& image : index.images()) {
        if (image.name)
          index.remove_name(*image.name);
        else
          index.remove_untagged(image.descriptor.digest);
      }
    });
    store_->collect(std::chrono::seconds(0), std::chrono::seconds(0));
  }

 private:
  std::filesystem::path path_;
  std::shared_ptr<blobstore::Store> store_;
};

importer::Options small_limits() {
  importer::Options options;
  options.file_name = "fuzz.tar";
  options.limits.max_archive = 64 << 20;
  options.limits.max_layer = 16 << 20;
  return options;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static FuzzStore store;
  if (size == 0) return 0;
  const std::size_t piece = data[size - 1] % 2 == 0 ? 1 << 20 : 509;
  try {
    fuzz::Pieces source(std::as_bytes(std::span(data, size)), piece);
    importer::Importer import(*store, small_limits());
    if (import.run(source).images.empty()) std::abort();
    if (!(*store).verify().empty()) std::abort();
    store.empty();
  } catch (const imagefs::Error& error) {
    if (error.sentence().empty() || !(*store).blobs().empty()) std::abort();
  }
  return 0;
}
