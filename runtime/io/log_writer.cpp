#include "io/log_writer.h"

#include <spdlog/common.h>
#include <spdlog/details/log_msg.h>
#include <spdlog/sinks/sink.h>

#include <chrono>

namespace godwit::io {

using namespace std::chrono_literals;

LogWriter::LogWriter(std::unique_ptr<spdlog::sinks::sink> sink, size_t lines_max)
    : sink_(std::move(sink)), lines_max_(lines_max) {}

void LogWriter::start(std::function<void()> each_second) {
  each_second_ = std::move(each_second);
  thread_ = std::thread([this] { run(); });
}

LogWriter::~LogWriter() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void LogWriter::push(std::string line) {
  {
    const std::lock_guard lock(mutex_);
    if (queue_.size() == lines_max_) {
      ++dropped_;
      return;
    }
    queue_.push_back(std::move(line));
    ++pushed_count_;
  }
  wake_.notify_one();
}

void LogWriter::flush() {
  std::unique_lock lock(mutex_);
  const uint64_t target = pushed_count_;
  written_.wait(lock, [&] { return written_count_ >= target; });
}

uint64_t LogWriter::dropped() const {
  const std::lock_guard lock(mutex_);
  return dropped_;
}

void LogWriter::run() {
  auto next_tick = std::chrono::steady_clock::now() + 1s;
  std::vector<std::string> lines;
  std::unique_lock lock(mutex_);
  while (!closing_ || !queue_.empty()) {
    wake_.wait_until(lock, next_tick, [&] { return closing_ || !queue_.empty(); });
    lines.swap(queue_);
    lock.unlock();
    write(lines);
    if (const auto now = std::chrono::steady_clock::now(); now >= next_tick) {
      next_tick = now + 1s;
      each_second_();
    }
    lock.lock();
    written_count_ += lines.size();
    lines.clear();
    written_.notify_all();
  }
}

// A full disk must not end the server: what can not be written is lost.
void LogWriter::write(const std::vector<std::string>& lines) {
  if (lines.empty()) return;
  try {
    for (const std::string& line : lines) sink_->log({"", spdlog::level::info, line});
    sink_->flush();
  } catch (const spdlog::spdlog_ex&) {
    const std::lock_guard lock(mutex_);
    dropped_ += lines.size();
  }
}

}  // namespace godwit::io
