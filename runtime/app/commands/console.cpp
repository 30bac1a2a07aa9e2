#include "app/commands/console.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>

// After <cstdio>, which they need and do not include.
#include <readline/history.h>
#include <readline/readline.h>

#include "base/text.h"
#include "io/os_error.h"

namespace godwit::app {
namespace {

/// Plain lines of a pipe or a file.
class PlainConsole final : public Console {
 public:
  PlainConsole(io::FileDescriptor wake, io::FileDescriptor signals)
      : Console(false, std::move(wake), std::move(signals)) {}

 private:
  void read() override {
    std::array<char, 16 * 1024> bytes;
    const ssize_t count = ::read(STDIN_FILENO, bytes.data(), bytes.size());
    if (count <= 0) {
      ended_ = true;
      if (!rest_.empty()) lines_.push_back(std::exchange(rest_, {}));
      return;
    }
    for (const char byte : std::string_view(bytes.data(), static_cast<size_t>(count))) {
      if (byte == '\n') {
        lines_.push_back(std::exchange(rest_, {}));
      } else if (rest_.size() <= kLineBytesMax) {
        rest_ += byte;
      }
    }
  }

  std::string rest_;  ///< of a line whose end has not come
};

/// A terminal, with the line editor that people know. The library has one state for the process, and its callback no
/// argument.
class TerminalConsole final : public Console {
 public:
  TerminalConsole(std::string prompt, io::FileDescriptor wake, io::FileDescriptor signals)
      : Console(true, std::move(wake), std::move(signals)), prompt_(std::move(prompt)) {
    current = this;
    rl_catch_signals = 0;
    rl_bind_key('\t', rl_insert);
  }
  ~TerminalConsole() override {
    prompt(false);
    current = nullptr;
  }

  void print(std::string_view text) override {
    if (!prompting_) return Console::print(text);
    rl_clear_visible_line();
    Console::print(text);
    rl_forced_update_display();
  }

 private:
  void read() override { rl_callback_read_char(); }

  void prompt(bool on) override {
    if (std::exchange(prompting_, on) == on) return;
    on ? rl_callback_handler_install(prompt_.c_str(), on_line) : rl_callback_handler_remove();
  }

  static void on_line(char* line) {
    current->prompt(false);
    if (!line) {
      current->ended_ = true;
      return write("\n");
    }
    if (*line) add_history(line);
    current->lines_.emplace_back(line);
    std::free(line);
  }

  static inline TerminalConsole* current = nullptr;

  const std::string prompt_;
  bool prompting_ = false;
};

}  // namespace

Result<std::unique_ptr<Console>> Console::open(std::string prompt) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  // Threads that are made from here on inherit this: the signals come to nobody but the descriptor.
  if (pthread_sigmask(SIG_BLOCK, &signals, nullptr) != 0) return io::os_error("block signals", errno);
  io::FileDescriptor caught(signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  io::FileDescriptor wake(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!caught || !wake) return io::os_error("open the console", errno);
  if (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))
    return std::make_unique<TerminalConsole>(std::move(prompt), std::move(wake), std::move(caught));
  return std::make_unique<PlainConsole>(std::move(wake), std::move(caught));
}

Console::Event Console::next(bool want_line) {
  for (;;) {
    if (run_tasks()) return Event::kTasks;
    if (want_line && !lines_.empty()) {
      line_ = std::move(lines_.front());
      lines_.pop_front();
      return line_.size() > kLineBytesMax ? Event::kLongLine : Event::kLine;
    }
    if (want_line && ended_) return Event::kEnd;
    prompt(want_line);
    std::array<pollfd, 3> waiting{{{wake_.get(), POLLIN, 0}, {signals_.get(), POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}}};
    if (::poll(waiting.data(), want_line ? 3 : 2, -1) < 0) continue;
    if (waiting[1].revents != 0) return Event::kInterrupted;
    if (want_line && waiting[2].revents != 0) read();
  }
}

bool Console::run_tasks() {
  std::vector<std::function<void()>> tasks;
  {
    const std::lock_guard lock(mutex_);
    tasks.swap(tasks_);
    uint64_t count;
    [[maybe_unused]] const ssize_t taken = ::read(wake_.get(), &count, sizeof count);
  }
  for (const auto& task : tasks) task();
  return !tasks.empty();
}

void Console::post(std::function<void()> task) {
  const std::lock_guard lock(mutex_);
  tasks_.push_back(std::move(task));
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t told = ::write(wake_.get(), &one, sizeof one);
}

bool Console::offer(std::function<void()> task) {
  {
    const std::lock_guard lock(mutex_);
    if (tasks_.size() >= kTasksMax) return false;
  }
  post(std::move(task));
  return true;
}

void Console::print(std::string_view text) {
  std::string shown;
  for (;;) {
    const size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    // Each byte may become four, and none is to be cut off.
    shown += escape_for_log(line, 4 * line.size() + 4) + '\n';
    if (end == text.npos || end + 1 == text.size()) break;
    text.remove_prefix(end + 1);
  }
  write(shown);
}

void Console::write(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

}  // namespace godwit::app
