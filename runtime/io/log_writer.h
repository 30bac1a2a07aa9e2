#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace spdlog::sinks {
class sink;
}

namespace godwit::io {

/// Writes lines on a thread of its own, so that a slow disk or a terminal that was stopped never holds up a loop. The
/// queue is bounded; at the bound lines are dropped and counted.
class LogWriter {
 public:
  LogWriter(std::unique_ptr<spdlog::sinks::sink> sink, size_t lines_max);
  /// Writes what is queued.
  ~LogWriter();

  /// Begins to write; once. `each_second` is called on the writer's thread, about once a second; it may push.
  void start(std::function<void()> each_second);

  /// Any thread; never blocks for the disk.
  void push(std::string line);
  /// Any thread but the writer's: returns when everything pushed before is with the system.
  void flush();
  uint64_t dropped() const;

 private:
  void run();
  void write(const std::vector<std::string>& lines);

  std::unique_ptr<spdlog::sinks::sink> sink_;
  const size_t lines_max_;
  std::function<void()> each_second_;

  mutable std::mutex mutex_;
  std::condition_variable wake_;     // for the writer
  std::condition_variable written_;  // for those who flush
  std::vector<std::string> queue_;
  uint64_t pushed_count_ = 0;
  uint64_t written_count_ = 0;
  uint64_t dropped_ = 0;
  bool closing_ = false;
  std::thread thread_;
};

}  // namespace godwit::io
