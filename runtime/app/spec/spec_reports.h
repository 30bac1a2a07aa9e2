#pragma once

#include <cstdio>
#include <filesystem>
#include <memory>

#include "app/spec/spec_results.h"
#include "base/result.h"

namespace godwit::app {

/// For people: a line per case, and what was wrong behind it.
std::unique_ptr<SpecReporter> make_text_report(std::FILE* out);

/// TAP 14.
std::unique_ptr<SpecReporter> make_tap_report(std::FILE* out);

/// JUnit's XML, as CI systems read it: collects, and returns the file's text in the end.
class JunitReport final : public SpecReporter {
 public:
  void ended(const CaseResult& result) override { results_.push_back(result); }
  void finished(const SpecTotals& totals) override { totals_ = totals; }
  std::string text() const;

 private:
  std::vector<CaseResult> results_;
  SpecTotals totals_;
};

}  // namespace godwit::app
