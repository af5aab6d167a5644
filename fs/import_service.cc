#include "fs/import_service.h"

#include <cerrno>
#include <chrono>
#include <exception>
#include <iomanip>
#include <sstream>
#include <utility>

#include "fs/as_error.h"
#include "fs/log.h"

namespace imagefs::fs {
namespace {

using Clock = std::chrono::steady_clock;

std::string describe(const importer::ImportedImage& image) {
  std::string text;
  for (const std::string& name : image.names) text += name + " ";
  return text + image.descriptor.digest.str();
}

void log_import(const std::string& file, const importer::Outcome& outcome, std::uint64_t bytes,
                Clock::time_point start) {
  const std::chrono::duration<double> seconds = Clock::now() - start;
  std::ostringstream line;
  line << file << ": imported ";
  for (const importer::ImportedImage& image : outcome.images) line << describe(image) << ", ";
  line << bytes << " bytes in " << std::fixed << std::setprecision(1) << seconds.count() << " s";
  for (const std::string& note : outcome.notes) line << "; " << note;
  log(LOG_INFO, line.str());
}

}  // namespace

ImportService::ImportService(std::shared_ptr<blobstore::Store> store, importer::Limits limits,
                             std::shared_ptr<Status> status, std::function<void()> refresh)
    : store_(std::move(store)),
      limits_(limits),
      status_(std::move(status)),
      refresh_(std::move(refresh)) {}

// One import, from its first byte until it is published, refused or given up.
struct ImportService::Job {
  Job(const ImportService& service, const Arrival& arrival)
      : file(arrival.file),
        importer(*service.store_, {.limits = service.limits_, .file_name = arrival.file}),
        status(*service.status_),
        id(status.arrived(arrival.file, arrival.user, [this] { return importer.progress(); })) {}
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;
  ~Job() {
    if (ended) return;
    status.cancelled(id);
    log(LOG_INFO, file + ": given up: it has not been renamed");
  }

  void name(const std::string& now) {
    file = now;
    status.renamed(id, now);
  }
  void show(const importer::Outcome& outcome) {
    ended = true;
    status.imported(id, outcome);
    log_import(file, outcome, importer.progress().bytes, start);
  }
  [[nodiscard]] Verdict refuse(const Error& error) {
    ended = true;
    const bool cancelled = error.errno_value() == ECANCELED;
    cancelled ? status.cancelled(id) : status.refused(id, error);
    log(cancelled ? LOG_INFO : LOG_WARNING, file + ": refused: " + error.sentence());
    return {.errno_value = error.errno_value(), .sentence = error.sentence()};
  }

  std::string file;
  importer::Importer importer;
  Status& status;
  const Status::Id id;
  const Clock::time_point start = Clock::now();
  bool ended = false;
};

Verdict ImportService::run(const Arrival& arrival, importer::ByteSource& source,
                           const std::function<void(const importer::Importer&)>& started) noexcept {
  const auto job = std::make_shared<Job>(*this, arrival);
  try {
    started(job->importer);
    job->importer.prepare(source);
  } catch (...) {
    return job->refuse(as_error(std::current_exception()));
  }
  if (!arrival.temporary) return publish(*job, arrival.file);
  return {.publish = [this, job](const std::string& name) { return publish(*job, name); }};
}

Verdict ImportService::publish(Job& job, const std::string& name) noexcept {
  try {
    if (name != job.file) job.name(name);
    const importer::Outcome outcome = job.importer.publish(name);
    refresh_();
    job.show(outcome);
    return {};
  } catch (...) {
    return job.refuse(as_error(std::current_exception()));
  }
}

void ImportService::refuse(const Arrival& arrival, const Error& error) {
  status_->refused(arrival.file, arrival.user, error);
  log(LOG_WARNING, arrival.file + ": refused: " + error.sentence());
}

}  // namespace imagefs::fs
