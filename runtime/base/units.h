#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace godwit {

// Quantities as people write them in configuration and on the command line: a whole number and its unit. Parsing what
// was formatted gives the same value. Errors are ConfigInvalid and say what was expected.

/// "250ms", "30s", "5m", "1h"; units ns, us, ms, s, m, h, d. Only 0 may stand without a unit. No sign, no spaces, no
/// fractions.
Result<Duration> parse_duration(std::string_view text);
/// In the largest unit that is exact: 90 s is "90s", 120 s is "2m". Not for negative durations.
std::string format_duration(Duration value);

/// "64KiB", "1MiB", "1GiB", "512" or "512B"; units B, KiB, MiB, GiB, TiB. "64KB" is refused because it means two
/// things.
Result<uint64_t> parse_bytes(std::string_view text);
/// In the largest unit that is exact; numbers under one KiB stand alone: "512".
std::string format_bytes(uint64_t value);

}  // namespace godwit
