#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "base/result.h"
#include "base/units.h"

namespace godwit::app {

/// An option whose text `parse` (a Result from a string_view) turns into `value`; what it refuses ends the command with
/// the reason.
template <typename Parse, typename Value>
CLI::Option* add_parsed(CLI::App& verb, const std::string& name, const std::string& help, Parse parse, Value& value) {
  return verb.add_option_function<std::string>(
      name,
      [parse, &value, name](const std::string& text) {
        auto parsed = parse(text);
        if (!parsed) throw CLI::ValidationError(name, parsed.error().text);
        value = std::move(*parsed);
      },
      help);
}

/// "250ms", "5s", "1h"; more than nothing.
inline CLI::Option* add_duration(CLI::App& verb, const std::string& name, const std::string& help, Duration& value) {
  const auto parse = [](std::string_view text) -> Result<Duration> {
    Result<Duration> parsed = parse_duration(text);
    if (parsed && *parsed <= Duration::zero()) return fail(Code::kUsageInvalid, "expected more than 0");
    return parsed;
  };
  return add_parsed(verb, name, help, parse, value)->type_name("DURATION")->default_str(format_duration(value));
}

/// "64", "64KiB", "1MiB".
inline CLI::Option* add_bytes(CLI::App& verb, const std::string& name, const std::string& help, uint64_t& value) {
  return add_parsed(verb, name, help, parse_bytes, value)->type_name("BYTES")->default_str(format_bytes(value));
}

}  // namespace godwit::app
