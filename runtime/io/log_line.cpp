#include "io/log_line.h"

#include <fmt/format.h>

#include <cmath>
#include <ctime>

#include "base/limits.h"
#include "base/text.h"

namespace godwit::io {
namespace {

constexpr size_t kMessageBytesMax = 384;  // together with one value, head and tail: always fits a line
constexpr size_t kValueBytesMax = 256;
constexpr size_t kKeyBytesMax = 48;
constexpr size_t kModuleBytesMax = 32;
constexpr size_t kTailBytes = 20;  // for saying that fields were left out

std::string timestamp(int64_t unix_us) {
  const auto seconds = static_cast<time_t>(unix_us / 1'000'000);
  tm utc{};
  gmtime_r(&seconds, &utc);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday,
                     utc.tm_hour, utc.tm_min, utc.tm_sec, unix_us % 1'000'000);
}

std::string with_escaped_quotes(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '"') out += '\\';
    out += c;
  }
  return out;
}

// JSON knows no \x: the backslashes that escape_for_log wrote are themselves escaped, so that a reader sees the same
// text as in the other format.
std::string json_string(std::string_view raw, size_t bytes_max) {
  std::string out = "\"";
  for (const char c : escape_for_log(raw, bytes_max)) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out += '"';
}

std::string text_string(std::string_view raw) {
  std::string safe = escape_for_log(raw, kValueBytesMax);
  if (!safe.empty() && safe.find_first_of(" =\"") == std::string::npos) return safe;
  return fmt::format("\"{}\"", with_escaped_quotes(safe));
}

struct ValueFormatter {
  LogFormat format;
  std::string operator()(std::string_view value) const {
    return format == LogFormat::kJson ? json_string(value, kValueBytesMax) : text_string(value);
  }
  std::string operator()(double value) const {
    if (format == LogFormat::kJson && !std::isfinite(value)) return fmt::format("\"{}\"", value);
    return fmt::format("{}", value);
  }
  template <typename Number>
  std::string operator()(Number value) const {
    return fmt::format("{}", value);
  }
};

std::string head(LogFormat format, const LogRecord& record, int64_t unix_us) {
  if (format == LogFormat::kText) {
    return fmt::format("{} {:<5} {}: {}", timestamp(unix_us), name_of(record.level),
                       escape_for_log(record.module, kModuleBytesMax),
                       escape_for_log(record.message, kMessageBytesMax));
  }
  return fmt::format(R"({{"ts":"{}","level":"{}","module":{},"msg":{})", timestamp(unix_us), name_of(record.level),
                     json_string(record.module, kModuleBytesMax), json_string(record.message, kMessageBytesMax));
}

std::string field_text(LogFormat format, const LogField& field) {
  const std::string value = std::visit(ValueFormatter{format}, field.value);
  if (format == LogFormat::kJson) return fmt::format(",{}:{}", json_string(field.key, kKeyBytesMax), value);
  return fmt::format(" {}={}", escape_for_log(field.key, kKeyBytesMax), value);
}

}  // namespace

std::string format_line(LogFormat format, const LogRecord& record, int64_t unix_us) {
  std::string line = head(format, record, unix_us);
  size_t left_out = 0;
  for (const LogField& field : record.fields) {
    const std::string text = field_text(format, field);
    if (line.size() + text.size() + kTailBytes <= limits::kLogLineBytesMax)
      line += text;
    else
      ++left_out;
  }
  if (left_out) line += field_text(format, {"left_out", left_out});
  if (format == LogFormat::kJson) line += '}';
  return line;
}

}  // namespace godwit::io
