#include "trace_log.h"

#include <fmt/format.h>

namespace godwit::sim {
namespace {

std::string text_of(const LogField& field) {
  return std::visit([&](const auto& value) { return fmt::format(" {}={}", field.key, value); }, field.value);
}

}  // namespace

LogLevel TraceLog::level(std::string_view) const { return trace_.prints() ? LogLevel::kDebug : LogLevel::kOff; }

void TraceLog::write(const LogRecord& record) {
  std::string line = fmt::format("{} [{}] {}", name_of(record.level), record.module, record.message);
  for (const LogField& field : record.fields) line += text_of(field);
  trace_.print(who_, line);
}

}  // namespace godwit::sim
