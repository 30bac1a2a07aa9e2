#include "app/spec/spec_reports.h"

#include <fmt/format.h>

namespace godwit::app {
namespace {

using What = CaseResult::What;

double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

/// Each line of `text` behind `margin`.
std::string indented(std::string_view text, std::string_view margin) {
  std::string out;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    out += fmt::format("{}{}\n", margin, line);
  }
  return out;
}

class TextReport final : public SpecReporter {
 public:
  explicit TextReport(std::FILE* out) : out_(out) {}

  void ended(const CaseResult& result) override {
    if (result.file != file_) fmt::print(out_, "{}\n", file_ = result.file);
    fmt::print(out_, "  {} {}\n", mark(result.what), result.name);
    if (result.what != What::kFailed) return;
    fmt::print(out_, "{}", indented(result.failure, "       "));
    for (const std::string& line : result.log) fmt::print(out_, "{}", indented(line, "       log: "));
  }
  void finished(const SpecTotals& totals) override {
    fmt::print(out_, "{} passed, {} failed", totals.passed, totals.failed);
    if (totals.pending > 0) fmt::print(out_, ", {} pending", totals.pending);
    fmt::print(out_, " in {:.2f} s\n", seconds(totals.took));
  }

 private:
  static std::string_view mark(What what) {
    switch (what) {
      case What::kPassed: return "ok  ";
      case What::kFailed: return "FAIL";
      default: return "todo";
    }
  }

  std::FILE* out_;
  std::string file_;
};

/// As a YAML double-quoted scalar.
std::string yaml_text(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '\n')
      out += "\\n";
    else if (static_cast<unsigned char>(c) < 0x20)
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    else
      out += c;
  }
  return out + '"';
}

class TapReport final : public SpecReporter {
 public:
  explicit TapReport(std::FILE* out) : out_(out) { fmt::print(out_, "TAP version 14\n"); }

  void ended(const CaseResult& result) override {
    fmt::print(out_, "{} {} - {}: {}{}\n", result.what == What::kFailed ? "not ok" : "ok", ++count_,
               escaped(result.file), escaped(result.name),
               result.what == What::kPending ? " # SKIP to be written" : "");
    if (result.what != What::kFailed) return;
    fmt::print(out_, "  ---\n  message: {}\n  at: {}\n", yaml_text(result.failure), yaml_text(result.where));
    if (!result.log.empty()) fmt::print(out_, "  log:\n");
    for (const std::string& line : result.log) fmt::print(out_, "    - {}\n", yaml_text(line));
    fmt::print(out_, "  ...\n");
  }
  void finished(const SpecTotals& totals) override { fmt::print(out_, "1..{}\n", totals.all()); }

 private:
  static std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
      if (c == '#' || c == '\\') out += '\\';
      out += c;
    }
    return out;
  }

  std::FILE* out_;
  size_t count_ = 0;
};

/// For XML's text and attributes; what XML cannot say becomes a question mark.
std::string xml(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\n': out += "&#10;"; break;
      case '\t': out += "&#9;"; break;
      default: out += static_cast<unsigned char>(c) < 0x20 ? '?' : c;
    }
  }
  return out;
}

std::string xml_case(const CaseResult& result) {
  std::string out = fmt::format("    <testcase classname=\"{}\" name=\"{}\" time=\"{:.6f}\"", xml(result.file),
                                xml(result.name), seconds(result.took));
  if (result.what == What::kPassed) return out + "/>\n";
  if (result.what == What::kPending) return out + "><skipped/></testcase>\n";
  std::string log;
  for (const std::string& line : result.log) log += line + "\n";
  const std::string first = result.failure.substr(0, result.failure.find('\n'));
  return out + fmt::format(">\n      <failure message=\"{}\">{}</failure>\n", xml(first), xml(result.failure)) +
         (log.empty() ? "" : fmt::format("      <system-err>{}</system-err>\n", xml(log))) + "    </testcase>\n";
}

}  // namespace

std::unique_ptr<SpecReporter> make_text_report(std::FILE* out) { return std::make_unique<TextReport>(out); }

std::unique_ptr<SpecReporter> make_tap_report(std::FILE* out) { return std::make_unique<TapReport>(out); }

std::string JunitReport::text() const {
  std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
  out += fmt::format("<testsuites tests=\"{}\" failures=\"{}\" skipped=\"{}\" time=\"{:.6f}\">\n", totals_.all(),
                     totals_.failed, totals_.pending, seconds(totals_.took));
  for (size_t from = 0; from < results_.size();) {
    SpecTotals suite;
    std::string cases;
    size_t at = from;
    for (; at < results_.size() && results_[at].file == results_[from].file; ++at) {
      suite.add(results_[at]);
      cases += xml_case(results_[at]);
    }
    out += fmt::format("  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" skipped=\"{}\" time=\"{:.6f}\">\n{}",
                       xml(results_[from].file), suite.all(), suite.failed, suite.pending, seconds(suite.took), cases);
    out += "  </testsuite>\n";
    from = at;
  }
  return out + "</testsuites>\n";
}

}  // namespace godwit::app
