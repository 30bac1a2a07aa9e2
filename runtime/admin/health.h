#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "admin/scrape.h"

namespace godwit::admin {

/// A loop that has not come round for so long serves nobody.
inline constexpr Duration kStallTime = 5s;

/// Whether this server does its job. `live` is false only for what a restart would mend; `ready` is false whenever new
/// clients should go elsewhere.
struct Health {
  std::string status;  ///< "ok", or the first of: "stalled", "starting", "draining", "degraded"
  bool live = true;
  bool ready = true;
  std::vector<uint32_t> stalled_workers;
};
Health judge(const Scrape& scrape);

}  // namespace godwit::admin
