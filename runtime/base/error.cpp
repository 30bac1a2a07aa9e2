#include "base/error.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace godwit {
namespace {

constexpr CodeInfo kCodes[] = {
#define GW_ERROR(number, name, severity, retryable, delay_ms, meaning, advice) \
  {Code::k##name, #name, Severity::severity, retryable, std::chrono::milliseconds(delay_ms), meaning, advice},
#include "base/error_codes.inc"
#undef GW_ERROR
};

constexpr bool is_ascending() {
  for (size_t i = 1; i < std::size(kCodes); ++i) {
    if (kCodes[i - 1].code >= kCodes[i].code) return false;
  }
  return true;
}

constexpr bool is_documented(const CodeInfo& info) {
  return !info.meaning.empty() && (!info.advice.empty() || info.severity == Severity::kInfo);
}

static_assert(is_ascending(), "error_codes.inc: numbers must be unique and ascending");
static_assert(std::all_of(std::begin(kCodes), std::end(kCodes), is_documented),
              "error_codes.inc: every code says what it means and what to do about it");

}  // namespace

std::span<const CodeInfo> all_codes() { return kCodes; }

size_t index_of(Code code) {
  const auto* found = std::lower_bound(std::begin(kCodes), std::end(kCodes), code,
                                       [](const CodeInfo& info, Code wanted) { return info.code < wanted; });
  const bool known = found != std::end(kCodes) && found->code == code;
  return known ? static_cast<size_t>(found - std::begin(kCodes)) : kCodeCount;
}

std::optional<CodeInfo> describe(Code code) {
  const size_t index = index_of(code);
  return index < kCodeCount ? std::optional(kCodes[index]) : std::nullopt;
}

std::string name_of(Code code) {
  if (code == Code::kOk) return "Ok";
  if (const auto info = describe(code)) return std::string(info->name);
  return fmt::format("E{}", static_cast<unsigned>(code));
}

std::string_view name_of(Severity severity) {
  switch (severity) {
    case Severity::kInfo: return "info";
    case Severity::kWarn: return "warn";
    case Severity::kError: return "error";
    case Severity::kCritical: return "critical";
  }
  return "unknown";
}

std::string Error::to_string() const {
  std::string out = fmt::format("{} ({})", name_of(code), static_cast<unsigned>(code));
  if (!text.empty()) out.append(": ").append(text);
  return out;
}

}  // namespace godwit
