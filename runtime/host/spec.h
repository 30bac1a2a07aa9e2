#pragma once

#include "host/unit_source.h"

namespace godwit::host {

/// The files of an app whose specs are to be run: what read_app reads, and what lies below spec/.
Result<AppSource> read_app_with_specs(const std::filesystem::path& folder, const AppLimits& limits);

/// One spec file of an app as a unit: a VM like an app's, with the same library, limits and reach, in which that file
/// runs instead of main.lua and finds describe, it, assert and test. It handles the runner's messages
/// (godwit.spec.list, godwit.spec.run) and whatever is sent to the fake clients whose end of the line it is.
UnitSourcePtr make_spec_unit(AppSource source, std::string file);

}  // namespace godwit::host
