#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/log.h"
#include "base/time.h"

namespace godwit::io {

/// Keeps one message from flooding the log: so many per second pass, the rest is counted. Knows the last kMessages
/// different messages, by what they say and who says it. Not thread-safe.
class LogRepeats {
 public:
  /// How often a message was held back, for saying so once its second is over.
  struct Suppressed {
    LogLevel level;
    std::string module;
    std::string message;
    uint64_t times;
  };

  explicit LogRepeats(uint32_t per_second) : per_second_(per_second) {}

  struct Verdict {
    bool passes;
    std::optional<Suppressed> earlier;  ///< to be said before this record
  };
  Verdict admit(LogLevel level, std::string_view module, std::string_view message, Timestamp now);

  /// One message whose second is over at `now` and of which some were held back; call until there is none. With kNever
  /// all count as over.
  std::optional<Suppressed> take_finished(Timestamp now);

 private:
  static constexpr size_t kMessages = 256;
  static constexpr size_t kTextBytesMax = 384;

  struct Entry {
    size_t hash = 0;
    Timestamp since{};
    uint64_t passed = 0;
    uint64_t suppressed = 0;
    LogLevel level = LogLevel::kInfo;
    std::string module;
    std::string message;
  };

  Entry& entry_of(size_t hash);
  static std::optional<Suppressed> restart(Entry& entry);

  const uint32_t per_second_;
  std::array<Entry, kMessages> entries_;
};

}  // namespace godwit::io
