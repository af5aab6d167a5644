#include "fs/import_service.h"

#include <cerrno>
#include <chrono>
#include <exception>
#include <iomanip>
#include <new>
#include <sstream>
#include <system_error>
#include <utility>

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

// Whatever was thrown, as an Error whose errno a writer can be given.
Error as_error(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const Error& error) {
    return error;
  } catch (const std::bad_alloc&) {
    return Error(ENOMEM, "out of memory");
  } catch (const std::system_error& error) {
    return Error(error.code().value(), error.what());
  } catch (const std::exception& error) {
    return Error(EIO, error.what());
  }
}

}  // namespace

ImportService::ImportService(std::shared_ptr<blobstore::Store> store, importer::Limits limits,
                             std::shared_ptr<Status> status, std::function<void()> refresh)
    : store_(std::move(store)),
      limits_(limits),
      status_(std::move(status)),
      refresh_(std::move(refresh)) {}

Verdict ImportService::run(const Arrival& arrival, importer::ByteSource& source,
                           const std::function<void(const importer::Importer&)>& started) noexcept {
  const Clock::time_point start = Clock::now();
  importer::Importer importer(*store_, {.limits = limits_, .file_name = arrival.file});
  const Status::Id id =
      status_->arrived(arrival.file, arrival.user, [&] { return importer.progress(); });
  try {
    started(importer);
    const importer::Outcome outcome = importer.run(source);
    refresh_();
    status_->imported(id, outcome);
    log_import(arrival.file, outcome, importer.progress().bytes, start);
    return {};
  } catch (...) {
    const Error error = as_error(std::current_exception());
    const bool cancelled = error.errno_value() == ECANCELED;
    cancelled ? status_->cancelled(id) : status_->refused(id, error);
    log(cancelled ? LOG_INFO : LOG_WARNING, arrival.file + ": refused: " + error.sentence());
    return {error.errno_value(), error.sentence()};
  }
}

void ImportService::refuse(const Arrival& arrival, const Error& error) {
  status_->refused(arrival.file, arrival.user, error);
  log(LOG_WARNING, arrival.file + ": refused: " + error.sentence());
}

}  // namespace imagefs::fs
