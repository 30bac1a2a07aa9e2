#include "io/log_sink.h"

#include <fmt/format.h>
#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include "io/log_writer.h"

namespace godwit::io {
namespace {

// The lines come formatted: spdlog adds their end, rotates and writes.
std::unique_ptr<spdlog::sinks::sink> make_sink(const LogOptions& options) {
  std::unique_ptr<spdlog::sinks::sink> sink;
  if (options.file.empty()) {
    sink = std::make_unique<spdlog::sinks::stderr_sink_st>();
  } else {
    sink = std::make_unique<spdlog::sinks::rotating_file_sink_st>(options.file.native(), options.file_bytes_max,
                                                                  options.files_max);
  }
  sink->set_pattern("%v");
  return sink;
}

}  // namespace

Result<std::unique_ptr<SystemLogSink>> SystemLogSink::open(const LogOptions& options, const Clock& clock) {
  try {
    std::unique_ptr<SystemLogSink> log(new SystemLogSink(options, clock));
    log->writer_ = std::make_unique<LogWriter>(make_sink(options), options.queue_lines_max);
    log->writer_->start([raw = log.get()] { raw->report_suppressed(raw->clock_.now()); });
    return log;
  } catch (const spdlog::spdlog_ex& error) {
    return fail(Code::kFileUnreadable, fmt::format("log file {}: {}", options.file.native(), error.what()));
  }
}

SystemLogSink::SystemLogSink(const LogOptions& options, const Clock& clock)
    : format_(options.format), clock_(clock), levels_(options.level), repeats_(options.repeats_per_second) {
  levels_.set(options.level, options.modules);
}

SystemLogSink::~SystemLogSink() {
  if (writer_) report_suppressed(kNever);
}

void SystemLogSink::write(const LogRecord& record) {
  counts_[static_cast<size_t>(record.level)].fetch_add(1, std::memory_order_relaxed);
  LogRepeats::Verdict verdict;
  {
    const std::lock_guard lock(repeats_mutex_);
    verdict = repeats_.admit(record.level, record.module, record.message, clock_.now());
  }
  if (verdict.earlier) put(*verdict.earlier);
  if (verdict.passes) put(record);
}

void SystemLogSink::put(const LogRecord& record) { writer_->push(format_line(format_, record, clock_.unix_us())); }

void SystemLogSink::put(const LogRepeats::Suppressed& suppressed) {
  const LogField fields[] = {{"message", suppressed.message}, {"suppressed", suppressed.times}};
  put({suppressed.level, suppressed.module, "suppressed repeats of a message", fields});
}

void SystemLogSink::report_suppressed(Timestamp now) {
  const std::lock_guard lock(repeats_mutex_);
  while (const auto suppressed = repeats_.take_finished(now)) put(*suppressed);
}

bool SystemLogSink::set_levels(LogLevel standard, const std::map<std::string, LogLevel>& modules) {
  return levels_.set(standard, modules);
}

void SystemLogSink::flush() { writer_->flush(); }

uint64_t SystemLogSink::count(LogLevel level) const {
  return counts_[static_cast<size_t>(level)].load(std::memory_order_relaxed);
}

uint64_t SystemLogSink::dropped() const { return writer_->dropped(); }

}  // namespace godwit::io
