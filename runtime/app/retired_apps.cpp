#include "app/retired_apps.h"

#include <algorithm>

namespace godwit::app {

void RetiredApps::add(uint32_t unit, std::unique_ptr<host::App> app, Timestamp deadline) {
  app->retire();
  apps_.push_back({unit, std::move(app), deadline});
}

bool RetiredApps::run_ready(host::ReplySink& sink, Timestamp now) {
  bool left = false;
  for (Retired& retired : apps_) {
    left |= retired.app->run_ready(sink);
    if (now < retired.deadline || retired.cancelled || retired.app->pins() == 0) continue;
    retired.cancelled = true;
    log_.warn("a replaced generation did not end in time; what waits in it is cancelled",
              {{"app", retired.app->name()}, {"waiting", retired.app->pins()}});
    retired.app->cancel(Code::kScriptRetired, sink);
    if (retired.app->pins() == 0) continue;
    log_.error("a replaced generation cannot be ended and stays in memory",
               {{"app", retired.app->name()}, {"pins", retired.app->pins()}});
  }
  return left;
}

void RetiredApps::withdraw(uint32_t unit, host::Ticket ticket, host::ReplySink& sink) {
  for (const Retired& retired : apps_) {
    if (retired.unit == unit) retired.app->withdraw(ticket, sink);
  }
}

std::vector<RetiredApps::Ended> RetiredApps::reap() {
  std::vector<Ended> ended;
  std::erase_if(apps_, [&](const Retired& retired) {
    if (retired.app->pins() > 0) return false;
    ended.push_back({retired.unit, retired.app->stats()});
    return true;
  });
  return ended;
}

host::AppStats RetiredApps::stats_of(uint32_t unit) const {
  host::AppStats all;
  for (const Retired& retired : apps_) {
    if (retired.unit == unit) all += retired.app->stats();
  }
  return all;
}

}  // namespace godwit::app
