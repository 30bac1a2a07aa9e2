#include <fmt/format.h>

#include "app/commands/flags.h"
#include "app/commands/json.h"
#include "app/commands/verb.h"
#include "base/version.h"

namespace godwit::app {
namespace {

constexpr std::string_view kProtocol = "godwit/1";

Json to_json(const CodeInfo& info) {
  return {{"code", static_cast<unsigned>(info.code)},
          {"name", info.name},
          {"severity", name_of(info.severity)},
          {"retryable", info.retryable},
          {"retry_after_ms", info.retry_after.count()},
          {"meaning", info.meaning},
          {"advice", info.advice}};
}

ExitCode print_errors_json() {
  Json list = Json::array();
  for (const CodeInfo& info : all_codes()) list.push_back(to_json(info));
  print_json(list);
  return ExitCode::kOk;
}

ExitCode print_errors() {
  for (const CodeInfo& info : all_codes()) {
    fmt::print("{} {:<22} {:<8} {:<6} {}\n", static_cast<unsigned>(info.code), info.name, name_of(info.severity),
               info.retryable ? "retry" : "", info.meaning);
    if (!info.advice.empty()) fmt::print("{:43}-> {}\n", "", info.advice);
  }
  return ExitCode::kOk;
}

ExitCode print_version() {
  fmt::print("godwit {}, protocol {}\n", kVersion, kProtocol);
  return ExitCode::kOk;
}

ExitCode print_version_json() {
  print_json({{"version", kVersion}, {"protocol", kProtocol}, {"compiler", __VERSION__}});
  return ExitCode::kOk;
}

void add_list(CLI::App& program, Verb& chosen, const char* name, const char* help, Verb text, Verb json) {
  CLI::App* verb = program.add_subcommand(name, help);
  const auto as_json = std::make_shared<bool>(false);
  verb->add_flag("--json", *as_json, "for machines");
  verb->footer(fmt::format("Examples:\n  godwit {0}\n  godwit {0} --json", name));
  verb->callback([=, &chosen] { chosen = *as_json ? json : text; });
}

}  // namespace

void add_errors(CLI::App& program, Verb& chosen) {
  add_list(program, chosen, "errors", "List every error code: name, severity, meaning, and what to do", print_errors,
           print_errors_json);
}

void add_version(CLI::App& program, Verb& chosen) {
  add_list(program, chosen, "version", "Print the version and the protocol it speaks", print_version,
           print_version_json);
}

}  // namespace godwit::app
