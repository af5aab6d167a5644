#include "blobstore/writer.h"

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "blobstore/directory.h"
#include "blobstore/temporary_file.h"
#include "tests/blobstore/store_fixture.h"

namespace imagefs::blobstore {
namespace {

std::string noise(std::size_t size) {
  std::string bytes(size, '\0');
  std::uint32_t state = 1;
  for (char& c : bytes) {
    state = state * 1664525 + 1013904223;
    c = static_cast<char>(state >> 24);
  }
  return bytes;
}

HeldBlob write_in_chunks(Store& store, std::string_view bytes, std::size_t chunk) {
  Writer writer = store.write_blob();
  for (std::size_t at = 0; at < bytes.size(); at += chunk) {
    writer.append(std::as_bytes(std::span(bytes.substr(at, chunk))));
  }
  return writer.finish();
}

BOOST_FIXTURE_TEST_SUITE(writers, StoreFixture)

BOOST_AUTO_TEST_CASE(the_digest_is_that_of_the_bytes_whatever_the_chunks) {
  const auto store = open();
  const std::string bytes = noise((20 << 20) + 4321);
  for (const std::size_t chunk :
       {std::size_t{4096}, std::size_t{262143}, std::size_t{262144}, std::size_t{9 << 20}}) {
    const HeldBlob blob = write_in_chunks(*store, bytes, chunk);
    BOOST_TEST(blob.digest.str() == sha256(bytes).str());
    BOOST_TEST(blob.size == bytes.size());
    BOOST_TEST((blob.read_all(bytes.size()) == bytes));
  }
}

BOOST_AUTO_TEST_CASE(small_and_large_chunks_mix) {
  const auto store = open();
  const std::string bytes = noise(3 << 20);
  Writer writer = store->write_blob();
  for (std::size_t at = 0, size = 1; at < bytes.size(); at += size, size = size * 3 % 1000003) {
    writer.append(std::as_bytes(std::span(std::string_view(bytes).substr(at, size))));
  }
  BOOST_TEST(writer.finish().digest.str() == sha256(bytes).str());
}

BOOST_AUTO_TEST_CASE(a_writer_tells_its_size_as_it_grows) {
  const auto store = open();
  const std::string bytes = noise(1 << 20);
  Writer writer = store->write_blob();
  BOOST_TEST(writer.size() == 0U);
  writer.append(std::as_bytes(std::span(bytes)));
  writer.append(std::as_bytes(std::span(bytes).first(5)));
  BOOST_TEST(writer.size() == bytes.size() + 5);
}

BOOST_AUTO_TEST_CASE(an_empty_blob_is_a_blob) {
  const auto store = open();
  const HeldBlob blob = store->write_blob().finish();
  BOOST_TEST(blob.size == 0U);
  BOOST_TEST(blob.digest.str() == sha256("").str());
  BOOST_TEST(blob.read_all(0).empty());
}

BOOST_AUTO_TEST_CASE(an_abandoned_blob_leaves_nothing) {
  const auto store = open();
  const auto before = files();
  {
    Writer writer = store->write_blob();
    const std::string bytes = noise(1 << 20);
    writer.append(std::as_bytes(std::span(bytes)));
    const HeldBlob finished = write(*store, "finished");
  }
  BOOST_TEST((files() == before));
}

BOOST_AUTO_TEST_CASE(writers_work_side_by_side) {
  const auto store = open();
  std::vector<std::string> digests(4);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < digests.size(); ++i) {
    threads.emplace_back([&, i] {
      digests[i] = write_in_chunks(*store, noise((2 << 20) + i), 300'000).digest.str();
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (std::size_t i = 0; i < digests.size(); ++i) {
    BOOST_TEST(digests[i] == sha256(noise((2 << 20) + i)).str());
  }
}

BOOST_AUTO_TEST_CASE(a_held_blob_over_the_limit_is_not_read) {
  const auto store = open();
  const HeldBlob blob = write(*store, "12345");
  BOOST_TEST(blob.read_all(5) == "12345");
  BOOST_TEST(errno_of([&] { (void)blob.read_all(4); }) == EFBIG);
}

BOOST_AUTO_TEST_CASE(named_files_are_swept_when_nobody_holds_them) {
  (void)open();
  const Directory layout(path, Access::read_write);
  const auto exists = [&](const TemporaryFile& file) {
    return std::filesystem::exists(path / "blobs" / file.name);
  };
  TemporaryFile held = make_named_file(layout.blobs.get(), kBlobInMaking);
  TemporaryFile abandoned = make_named_file(layout.blobs.get(), kBlobInMaking);
  abandoned.fd.reset();
  BOOST_TEST((exists(held) && exists(abandoned)));
  const auto store = open();
  BOOST_TEST(exists(held));
  BOOST_TEST(!exists(abandoned));

  const HeldBlob blob{sha256(""), 0, std::move(held.fd)};
  store->commit({&blob}, [](Index&) {});
  BOOST_TEST(std::filesystem::exists(blob_path(blob.digest)));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace imagefs::blobstore
