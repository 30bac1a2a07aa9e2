#pragma once

#include <string>
#include <vector>

#include "base/time.h"

namespace godwit::app {

struct CaseResult {
  enum class What : uint8_t { kPassed, kFailed, kPending };
  std::string file;   ///< "scripts/chat/spec/chat_spec.lua"
  std::string where;  ///< file:line of the case, empty for the file as a whole
  std::string name;
  What what = What::kPassed;
  std::string failure;           ///< what was wrong; lines
  std::vector<std::string> log;  ///< what was logged meanwhile, when it failed
  Duration took{};               ///< of real time
};

struct SpecTotals {
  size_t passed = 0;
  size_t failed = 0;
  size_t pending = 0;
  Duration took{};

  size_t all() const { return passed + failed + pending; }
  void add(const CaseResult& result);
};

/// Hears of each case when it has ended, in the order in which they ran.
class SpecReporter {
 public:
  virtual ~SpecReporter() = default;
  virtual void ended(const CaseResult& result) = 0;
  virtual void finished(const SpecTotals& totals) = 0;
};

}  // namespace godwit::app
