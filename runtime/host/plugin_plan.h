#pragma once

#include <godwit/plugin.h>

#include "transfer/plan.h"

namespace godwit::host {

// Between plans as the plugin interface has them and ours.

gw_strategy_question plain(const transfer::Question& question);
gw_strategy_plan plain(const transfer::Plan& plan);
/// What a plugin wrote: it may make no sense.
transfer::Plan plan_of(const gw_strategy_plan& plan);

}  // namespace godwit::host
