#include "host/plugin_plan.h"

#include <algorithm>

namespace godwit::host {

gw_strategy_question plain(const transfer::Question& question) {
  return {.struct_size = sizeof(gw_strategy_question),
          .memory_level = 0,
          .body_bytes = question.sizes.bytes_min,
          .rtt_ns = question.network.rtt.count(),
          .loss = question.network.loss,
          .sample = {},
          .action = {},
          .body_bytes_max = question.sizes.bytes_max};
}

gw_strategy_plan plain(const transfer::Plan& plan) {
  return {.struct_size = sizeof(gw_strategy_plan),
          .size_class = static_cast<uint32_t>(index_of(plan.size_class)),
          .buffer_bytes = plan.buffer_bytes,
          .chunk_bytes = plan.chunk_bytes,
          .timeout_ns = plan.timeout.count(),
          .retries = plan.retries,
          .streams = plan.streams,
          .own_stream = plan.lane == transfer::Lane::kOwn,
          .compress = plan.compress,
          .reserved = {}};
}

transfer::Plan plan_of(const gw_strategy_plan& plan) {
  return {.size_class = static_cast<transfer::SizeClass>(std::min<uint32_t>(plan.size_class, UINT8_MAX)),
          .lane = plan.own_stream ? transfer::Lane::kOwn : transfer::Lane::kShared,
          .buffer_bytes = plan.buffer_bytes,
          .chunk_bytes = plan.chunk_bytes,
          .timeout = Duration(plan.timeout_ns),
          .retries = plan.retries,
          .streams = plan.streams,
          .compress = plan.compress};
}

}  // namespace godwit::host
