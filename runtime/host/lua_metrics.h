#pragma once

#include <lua.hpp>

#include <string>
#include <vector>

#include "base/metric_store.h"

namespace godwit::host {

/// What one VM counts: the prelude's way to the metrics of its unit. Belongs to one VM and must outlive it.
class LuaMetrics {
 public:
  /// Without a store nobody looks at what is counted.
  LuaMetrics(MetricStore* store, std::string unit, uint32_t worker)
      : store_(store), unit_(std::move(unit)), worker_(worker) {}

  /// Adds the table `metrics` to the table on top of the stack:
  ///   declare(type, name, help, labels, buckets) → number | nil, reason
  ///   add, set, observe(number, value, labels | nil) → true | nil, code, text | nil, nil, mistake
  void add_to(lua_State* state);

  /// The generation is live: its metrics are those of the unit.
  void show() const;

 private:
  friend struct LuaMetricFunctions;

  MetricStore* const store_;
  const std::string unit_;
  const uint32_t worker_;
  MetricStore::Metrics metrics_;  ///< by number, from 0
  // What the function in progress owns: Lua's errors leave functions by unwinding, past no destructor.
  MetricDeclaration declaration_;
  std::vector<std::string_view> values_;
  Status status_;
};

}  // namespace godwit::host
