#include "base/units.h"

#include <fmt/format.h>

#include <charconv>
#include <limits>
#include <optional>
#include <span>

#include "base/check.h"
#include "base/text.h"

namespace godwit {
namespace {

struct Unit {
  std::string_view name;
  uint64_t factor;
};

// Ascending, and the first has factor 1.
constexpr Unit kTimeUnits[] = {
    {"ns", 1},
    {"us", 1'000},
    {"ms", 1'000'000},
    {"s", 1'000'000'000},
    {"m", 60'000'000'000},
    {"h", 3'600'000'000'000},
    {"d", 86'400'000'000'000},
};
constexpr Unit kByteUnits[] = {
    {"B", 1}, {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", uint64_t{1} << 40},
};

struct Quantity {
  std::optional<uint64_t> number;  // none: no digits, or more than 64 bits hold
  std::string_view unit;
};

Quantity split(std::string_view text) {
  uint64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{}) return {std::nullopt, text};
  return {number, {rest, static_cast<size_t>(end - rest)}};
}

std::optional<uint64_t> factor_of(std::string_view unit, std::span<const Unit> units) {
  for (const Unit& known : units) {
    if (known.name == unit) return known.factor;
  }
  return std::nullopt;
}

std::optional<uint64_t> multiply(uint64_t number, uint64_t factor, uint64_t largest) {
  if (number > largest / factor) return std::nullopt;
  return number * factor;
}

std::string quoted(std::string_view text) { return fmt::format("'{}'", escape_for_log(text, 64)); }

const Unit& largest_exact_unit(uint64_t value, std::span<const Unit> units) {
  const Unit* best = &units[0];
  for (const Unit& unit : units) {
    if (value % unit.factor == 0) best = &unit;
  }
  return *best;
}

}  // namespace

Result<Duration> parse_duration(std::string_view text) {
  constexpr std::string_view kExpected = "expected a duration such as \"250ms\", \"30s\", \"5m\" or \"1h\"";
  if (text == "0") return Duration::zero();
  const auto [number, unit] = split(text);
  const auto factor = factor_of(unit, kTimeUnits);
  if (!number || !factor) return fail(Code::kConfigInvalid, fmt::format("{}, got {}", kExpected, quoted(text)));
  const auto ns = multiply(*number, *factor, std::numeric_limits<Duration::rep>::max());
  if (!ns) return fail(Code::kConfigInvalid, fmt::format("the duration {} is too long", quoted(text)));
  return Duration(static_cast<Duration::rep>(*ns));
}

std::string format_duration(Duration value) {
  GW_CHECK(value >= Duration::zero());
  if (value == Duration::zero()) return "0s";
  const auto ns = static_cast<uint64_t>(value.count());
  const Unit& unit = largest_exact_unit(ns, kTimeUnits);
  return fmt::format("{}{}", ns / unit.factor, unit.name);
}

Result<uint64_t> parse_bytes(std::string_view text) {
  constexpr std::string_view kExpected = "expected a size such as \"512\", \"64KiB\", \"1MiB\" or \"1GiB\"";
  const auto [number, unit] = split(text);
  const auto factor = unit.empty() ? std::optional<uint64_t>(1) : factor_of(unit, kByteUnits);
  if (!number || !factor) return fail(Code::kConfigInvalid, fmt::format("{}, got {}", kExpected, quoted(text)));
  const auto bytes = multiply(*number, *factor, std::numeric_limits<uint64_t>::max());
  if (!bytes) return fail(Code::kConfigInvalid, fmt::format("the size {} is too large", quoted(text)));
  return *bytes;
}

std::string format_bytes(uint64_t value) {
  const Unit& unit = largest_exact_unit(value, kByteUnits);
  if (value == 0 || unit.factor == 1) return fmt::format("{}", value);
  return fmt::format("{}{}", value / unit.factor, unit.name);
}

}  // namespace godwit
