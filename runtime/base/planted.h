#pragma once

#include <cstdint>

#include "base/planted_option.h"

namespace godwit {

/// Mistakes that are put into the code on purpose, one at a time, to see that the tests find each (tests/planted). Only
/// a build with -Dplanted_faults=true has them; GODWIT_PLANTED_FAULT in its environment names the one.
enum class Fault : uint8_t {
#define GW_FAULT(name) k##name,
#include "base/planted_faults.inc"
#undef GW_FAULT
};

#if GODWIT_PLANTED_FAULTS
bool planted(Fault fault);
#else
constexpr bool planted(Fault) { return false; }
#endif

}  // namespace godwit
