#include "app/commands/print.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

#include "base/text.h"

namespace godwit::app {
namespace {

constexpr size_t kShownBytesMax = 2000;

/// Where nobody can be told, nothing can be done about it.
void write_error(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stderr); }

}  // namespace

void print_error(const Error& error) {
  const Error shown{error.code, escape_for_log(error.text, kShownBytesMax)};
  write_error(fmt::format("godwit: {}\n", shown.to_string()));
  const auto info = describe(error.code);
  if (info && !info->advice.empty()) write_error(fmt::format("        {}\n", info->advice));
}

void print_warning(std::string_view text) { write_error(fmt::format("godwit: warning: {}\n", text)); }

bool finish_output() { return std::fflush(stdout) == 0 && std::ferror(stdout) == 0; }

void print_reply(std::string_view body) {
  std::fwrite(body.data(), 1, body.size(), stdout);
  if (!body.empty() && body.back() != '\n' && isatty(STDOUT_FILENO)) std::fputc('\n', stdout);
  std::fflush(stdout);
}

ExitCode exit_code_of(Code code) {
  switch (code) {
    case Code::kOk: return ExitCode::kOk;
    case Code::kDeadlineExceeded: return ExitCode::kUnreachable;
    case Code::kCancelled: return ExitCode::kInterrupted;
    case Code::kUsageInvalid:
    case Code::kConfigInvalid:
    case Code::kFileUnreadable:
    case Code::kCertificateInvalid: return ExitCode::kUsage;
    default: break;
  }
  const auto thousands = static_cast<unsigned>(code) / 1000;
  return thousands == 1 ? ExitCode::kUnreachable : ExitCode::kPeerFailed;
}

}  // namespace godwit::app
