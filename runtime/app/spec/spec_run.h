#pragma once

#include "app/spec/spec_results.h"
#include "app/spec/spec_world.h"
#include "app/spec/specs.h"

namespace godwit::app {

/// Runs the cases of spec files whose name contains `filter` (all, when it is empty), each in a world of its own.
SpecTotals run_specs(const std::vector<SpecFile>& files, std::string_view filter, const SpecSetting& setting,
                     SpecReporter& reporter);

}  // namespace godwit::app
