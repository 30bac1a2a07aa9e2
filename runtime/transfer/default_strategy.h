#pragma once

#include "transfer/plan.h"

namespace godwit::transfer {

/// How bodies travel when no script or plugin says better: by their class, with smaller pieces on a path that loses
/// much.
Plan default_plan(const Question& question);

}  // namespace godwit::transfer
