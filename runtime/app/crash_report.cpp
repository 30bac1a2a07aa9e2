#include "app/crash_report.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>
#include <string_view>

#include "host/running_app.h"
#include "host/running_plugin.h"

namespace godwit::app {
namespace {

constexpr size_t kStackBytes =
    64 * 1024;  ///< the handler needs little; printers of other handlers that follow need more

struct FatalSignal {
  int number;
  std::string_view name;
};
constexpr FatalSignal kSignals[] = {
    {SIGSEGV, "SIGSEGV"}, {SIGBUS, "SIGBUS"}, {SIGILL, "SIGILL"}, {SIGFPE, "SIGFPE"}, {SIGABRT, "SIGABRT"}};

/// A signal handler gets no argument of ours: this is where it finds what it needs.
int g_records = -1;
std::array<struct sigaction, std::size(kSignals)> g_before;

/// A line put together without allocating: only what is async-signal-safe is called.
class Line {
 public:
  Line& add(std::string_view text) {
    const size_t fits = std::min(text.size(), bytes_.size() - size_);
    std::memcpy(bytes_.data() + size_, text.data(), fits);
    size_ += fits;
    return *this;
  }
  Line& add_number(uint64_t number) {
    char digits[20];
    size_t at = sizeof digits;
    do digits[--at] = static_cast<char>('0' + number % 10);
    while ((number /= 10) > 0);
    return add({digits + at, sizeof digits - at});
  }
  void write_to(int descriptor) const {
    // Nothing can be done about a failure: the process is about to die.
    [[maybe_unused]] const ssize_t written = ::write(descriptor, bytes_.data(), size_);
  }

 private:
  std::array<char, 512> bytes_;
  size_t size_ = 0;
};

void tell(std::string_view kind, std::string_view name, const FatalSignal& signal) {
  Line()
      .add("godwit: ")
      .add(kind)
      .add(name)
      .add(" was running when the process died by ")
      .add(signal.name)
      .add("\n")
      .write_to(STDERR_FILENO);
}

void report(const FatalSignal& signal) {
  const host::PluginLabel* label = host::RunningPlugin::label();
  const std::string* app = host::RunningApp::name();
  if (!label) return app ? tell("app ", *app, signal) : tell("no app and no plugin", "", signal);
  tell("", label->name, signal);
  if (g_records < 0) return;
  Line()
      .add(label->record)
      .add(" ")
      .add_number(static_cast<uint64_t>(std::time(nullptr)))
      .add("\n")
      .write_to(g_records);
}

void on_signal(int number, siginfo_t* info, void*) {
  for (size_t i = 0; i < std::size(kSignals); ++i) {
    if (kSignals[i].number != number) continue;
    report(kSignals[i]);
    ::sigaction(number, &g_before[i], nullptr);
  }
  // A fault happens again as soon as this returns; what was sent has to be sent again.
  if (info->si_code <= 0) ::raise(number);
}

}  // namespace

CrashStack::CrashStack() : memory_(new std::byte[kStackBytes]) {
  const stack_t stack{.ss_sp = memory_.get(), .ss_flags = 0, .ss_size = kStackBytes};
  ::sigaltstack(&stack, nullptr);
}

CrashStack::~CrashStack() {
  const stack_t none{.ss_sp = nullptr, .ss_flags = SS_DISABLE, .ss_size = 0};
  ::sigaltstack(&none, nullptr);
}

Result<std::unique_ptr<CrashReport>> CrashReport::install(const std::filesystem::path& records) {
  const int descriptor =
      records.empty() ? -1 : ::open(records.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0 && !records.empty())
    return fail(Code::kFileUnreadable, records.string() + ": " + std::strerror(errno));
  g_records = descriptor;
  struct sigaction action {};
  action.sa_sigaction = on_signal;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  for (size_t i = 0; i < std::size(kSignals); ++i) ::sigaction(kSignals[i].number, &action, &g_before[i]);
  return std::unique_ptr<CrashReport>(new CrashReport(descriptor));
}

CrashReport::~CrashReport() {
  for (size_t i = 0; i < std::size(kSignals); ++i) ::sigaction(kSignals[i].number, &g_before[i], nullptr);
  g_records = -1;
  if (records_ >= 0) ::close(records_);
}

}  // namespace godwit::app
