#include "app/spec/case_log.h"

#include <fmt/format.h>

namespace godwit::app {
namespace {

struct ToText {
  std::string operator()(std::string_view value) const { return std::string(value); }
  template <typename T>
  std::string operator()(T value) const {
    return fmt::format("{}", value);
  }
};

}  // namespace

void CaseLog::write(const LogRecord& record) {
  if (lines_.size() == kLinesMax) return;
  std::string line = fmt::format("{}: {}", name_of(record.level), record.message);
  for (const LogField& field : record.fields) {
    // A traceback names the frames of the host as well, and the error has its place already.
    if (field.key == "traceback") continue;
    line += fmt::format(" {}={}", field.key, std::visit(ToText(), field.value));
  }
  lines_.push_back(std::move(line));
}

}  // namespace godwit::app
