#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "io/file_descriptor.h"

namespace godwit::app {

/// Standard input and output of a command that talks with a person, or with a script. On a terminal lines are edited
/// and remembered, and what is printed meanwhile does not break the one being typed; elsewhere there are plain lines
/// and no prompt. One per process; all but `post` belongs to the thread that made it.
class Console {
 public:
  static Result<std::unique_ptr<Console>> open(std::string prompt);
  virtual ~Console() = default;

  bool is_terminal() const { return terminal_; }

  enum class Event : uint8_t {
    kLine,         ///< `line()` is what was entered
    kLongLine,     ///< one was longer than kLineBytesMax, and is gone
    kEnd,          ///< of the input
    kInterrupted,  ///< Ctrl-C, or asked to terminate
    kTasks,        ///< what other threads have posted was run
  };
  /// Waits for what happens next. Without `want_line` the input is left alone.
  Event next(bool want_line);
  const std::string& line() const { return line_; }

  /// One line or several, made safe to show.
  virtual void print(std::string_view text);

  /// Runs this inside `next`. Any thread.
  void post(std::function<void()> task);
  /// The same, for what comes without end: false when much waits already, because nobody reads what is printed.
  bool offer(std::function<void()> task);

  static constexpr size_t kLineBytesMax = (1 << 20) + 1024;  ///< an action and the largest body

 protected:
  Console(bool terminal, io::FileDescriptor wake, io::FileDescriptor signals)
      : terminal_(terminal), wake_(std::move(wake)), signals_(std::move(signals)) {}
  /// Bytes wait at the input: puts whole lines into `lines_`, and sets `ended_` at the end.
  virtual void read() = 0;
  /// From here on somebody waits for a line, or no longer does.
  virtual void prompt(bool) {}
  static void write(std::string_view text);

  static constexpr size_t kTasksMax = 10'000;

  std::deque<std::string> lines_;  ///< one that is too long is kept as its first kLineBytesMax + 1 bytes
  bool ended_ = false;

 private:
  bool run_tasks();

  const bool terminal_;
  io::FileDescriptor wake_;     ///< readable when there are tasks
  io::FileDescriptor signals_;  ///< readable when a signal came
  std::string line_;
  std::mutex mutex_;
  std::vector<std::function<void()>> tasks_;
};

}  // namespace godwit::app
