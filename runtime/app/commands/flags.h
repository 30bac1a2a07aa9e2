#pragma once

#include <CLI/CLI.hpp>
#include <map>
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

/// One of a few words, each standing for a value.
template <typename Value>
CLI::Option* add_choice(CLI::App& verb, const std::string& name, const std::string& help,
                        const std::map<std::string, Value>& choices, Value& value) {
  std::string words;
  for (const auto& [word, meaning] : choices) words += (words.empty() ? "" : "|") + word;
  const auto parse = [choices, words](const std::string& text) -> Result<Value> {
    const auto found = choices.find(text);
    if (found == choices.end()) return fail(Code::kUsageInvalid, "expected " + words);
    return found->second;
  };
  return add_parsed(verb, name, help, parse, value)->type_name(words);
}

/// "250ms", "5s", "1h"; more than nothing.
inline Result<Duration> parse_positive_duration(std::string_view text) {
  Result<Duration> parsed = parse_duration(text);
  if (parsed && *parsed <= Duration::zero()) return fail(Code::kUsageInvalid, "expected more than 0");
  // Beyond lies the end of the clock.
  if (parsed && *parsed > 24h * 36'500) return fail(Code::kUsageInvalid, "expected at most 876000h, a hundred years");
  return parsed;
}

inline CLI::Option* add_duration(CLI::App& verb, const std::string& name, const std::string& help, Duration& value) {
  return add_parsed(verb, name, help, parse_positive_duration, value)
      ->type_name("DURATION")
      ->default_str(format_duration(value));
}

/// "64", "64KiB", "1MiB"; at most `bytes_max`.
inline CLI::Option* add_bytes(CLI::App& verb, const std::string& name, const std::string& help, uint64_t bytes_max,
                              uint64_t& value) {
  const auto parse = [bytes_max](std::string_view text) -> Result<uint64_t> {
    Result<uint64_t> parsed = parse_bytes(text);
    if (parsed && *parsed > bytes_max) return fail(Code::kUsageInvalid, "expected at most " + format_bytes(bytes_max));
    return parsed;
  };
  return add_parsed(verb, name, help, parse, value)->type_name("BYTES")->default_str(format_bytes(value));
}

}  // namespace godwit::app
