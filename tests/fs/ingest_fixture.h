// An ingest/ whose imports are fakes, and what copies do with it.
#pragma once

#include <fcntl.h>

#include <cerrno>
#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "blobstore/error.h"
#include "fs/ingest.h"
#include "tests/fs/fake_import.h"
#include "tests/fs/fake_pending.h"

namespace imagefs::fs::test {

inline constexpr Caller kAlice{.uid = 1000, .gid = 1000, .pid = 10};
inline constexpr Caller kBob{.uid = 1001, .gid = 1001, .pid = 11};
inline constexpr Caller kRoot{.uid = 0, .gid = 0, .pid = 12};
inline constexpr uid_t kDaemon = 900;

struct IngestFixture {
  explicit IngestFixture(Ingest::Options options = {.uid = kDaemon,
                                                    .gid = kDaemon,
                                                    .max_imports = 4})
      : ingest(options, {.import = [this](const Ingest::Arrival& arrival,
                                          importer::BytePipe& pipe) { return run(arrival, pipe); },
                         .refuse = [this](const Ingest::Arrival& arrival,
                                          const Error&) { refused.push_back(arrival.file); }}) {}
  ~IngestFixture() { import.go(); }

  Verdict run(const Ingest::Arrival& arrival, importer::BytePipe& pipe) {
    Verdict verdict = import.run(pipe);
    if (verdict.errno_value == 0 && arrival.temporary) {
      verdict.publish = [this](const std::string& name) {
        published.push_back(name);
        if (while_publishing) while_publishing();
        return publication;
      };
    }
    return verdict;
  }
  static int write(const Ingest::Opened& opened, std::string_view text, std::uint64_t offset = 0) {
    Answer answer;
    opened.file->upload(opened.writer)
        ->write(std::as_bytes(std::span(text)), offset, answer.pending());
    return answer.wait();
  }
  static int flush(const Ingest::Opened& opened, bool by_opener = true) {
    Answer answer;
    opened.file->upload(opened.writer)->flush(by_opener, answer.pending());
    return answer.wait();
  }
  Ingest::Opened create(std::string_view name, const Caller& caller = kAlice) {
    return ingest.create(name, 0644, O_EXCL, caller);
  }
  // What cp does; the errno of its close.
  int copy(std::string_view name, std::string_view text, const Caller& caller = kAlice) {
    const Ingest::Opened opened = ingest.create(name, 0644, O_TRUNC, caller);
    const int written = write(opened, text);
    const int closed = flush(opened);
    ingest.release(opened);
    return written != 0 ? written : closed;
  }
  [[nodiscard]] std::vector<std::string> listed() const {
    std::vector<std::string> names;
    ingest.directory()->list(0, [&](const ListedName& name) {
      names.emplace_back(name.name);
      return true;
    });
    return names;
  }
  [[nodiscard]] std::string line(std::string_view name) const {
    const NodePtr node = ingest.lookup(name);
    if (!node) return "absent";
    std::string text(1000, '\0');
    text.resize(node->open()->read(std::as_writable_bytes(std::span(text)), 0));
    return text;
  }

  FakeImport import;
  std::vector<std::string> refused;
  std::vector<std::string> published;
  std::function<void()> while_publishing;
  Verdict publication;  // what comes of it
  Ingest ingest;
};

template <typename Call>
int errno_of(const Call& call) {
  try {
    call();
    return 0;
  } catch (const Error& error) {
    return error.errno_value();
  }
}

template <typename Condition>
bool comes_true(const Condition& condition) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (std::chrono::steady_clock::now() < end) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return false;
}

using Names = std::vector<std::string>;

}  // namespace imagefs::fs::test
