#include "admin/health.h"

namespace godwit::admin {
namespace {

std::string status_of(const Scrape& scrape, bool stalled) {
  if (stalled) return "stalled";
  if (scrape.facts.state == ServerState::kStarting) return "starting";
  if (scrape.facts.state == ServerState::kDraining) return "draining";
  return scrape.facts.degraded.empty() ? "ok" : "degraded";
}

}  // namespace

Health judge(const Scrape& scrape) {
  Health health;
  for (uint32_t i = 0; i < scrape.workers.size(); ++i) {
    if (scrape.now - scrape.workers[i].last_beat >= kStallTime) health.stalled_workers.push_back(i);
  }
  health.live = health.stalled_workers.empty();
  health.status = status_of(scrape, !health.live);
  health.ready = health.status == "ok";
  return health;
}

}  // namespace godwit::admin
