#pragma once

#include <string>

#include "admin/health.h"
#include "admin/scrape.h"

namespace godwit::admin {

// JSON documents of the admin plane, each one object. Field names are stable; new ones may come.

/// {"status":"ok","live":true,"ready":true,"workers":2,"stalled_workers":[],"degraded":""}
std::string health_report(const Scrape& scrape, const Health& health);

/// What runs here: version, addresses, uptime, apps with their generations.
std::string info_report(const Scrape& scrape);

/// Counts and latency percentiles since the start, all workers together.
std::string stats_report(const Scrape& scrape);

/// RFC 9457: what went wrong with a request.
std::string problem_report(unsigned status, const std::string& title, const std::string& detail);

}  // namespace godwit::admin
