#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/time.h"

namespace godwit {

enum class Severity : uint8_t { kInfo, kWarn, kError, kCritical };

/// Every error that anybody outside can see, by its stable number. The list with meanings is base/error_codes.inc.
enum class Code : uint16_t {
  kOk = 0,
#define GW_ERROR(number, name, severity, retryable, delay_ms, meaning, advice) k##name = number,
#include "base/error_codes.inc"
#undef GW_ERROR
};

/// How many there are, without kOk.
inline constexpr size_t kCodeCount = 0
#define GW_ERROR(number, name, severity, retryable, delay_ms, meaning, advice) +1
#include "base/error_codes.inc"
#undef GW_ERROR
    ;

struct CodeInfo {
  Code code;
  std::string_view name;  ///< stable, in words: "HandlerNotFound"
  Severity severity;
  bool retryable;
  std::chrono::milliseconds retry_after;  ///< suggested delay before a retry; 0: none, or no retry
  std::string_view meaning;
  std::string_view advice;
};

/// All codes in numeric order, without kOk.
std::span<const CodeInfo> all_codes();

/// The description of a code; for a number this build does not know (from a newer peer) the entry of kInternal's class
/// is not guessed: nullopt.
std::optional<CodeInfo> describe(Code code);

/// Its place in `all_codes`; kCodeCount for a number this build does not know.
size_t index_of(Code code);

/// Name for logs and metric labels: "HandlerNotFound", or "E4999" for an unknown number.
std::string name_of(Code code);

std::string_view name_of(Severity severity);

/// What went wrong, for a person and for a program. `text` carries the place (file:line:col, key, frame) where there is
/// one.
struct Error {
  Code code = Code::kInternal;
  std::string text;
  std::string detail{};  ///< what a library said of it: for the log only, never for peers

  /// "HandlerNotFound (4001): text"
  std::string to_string() const;
};

}  // namespace godwit
