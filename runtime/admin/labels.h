#pragma once

#include <array>
#include <string_view>

#include "base/worker_metrics.h"

namespace godwit::admin {

// The label of each index of an array in WorkerMetrics.
inline constexpr std::array<std::string_view, kMessageKinds> kKindLabels = {"command", "event", "query", "response"};
inline constexpr std::array<std::string_view, kSizeClasses> kSizeLabels = {"tiny", "small", "medium", "large", "huge"};
inline constexpr std::array<std::string_view, kDropReasons> kDropLabels = {
    "queue_full", "expired", "overload", "closed", "forbidden", "loop", "cancelled"};
inline constexpr std::array<std::string_view, kOverflowOutcomes> kOverflowLabels = {"rejected", "dropped", "closed"};
inline constexpr std::array<std::string_view, kFailureStages> kFailureLabels = {"refused", "handler"};
inline constexpr std::array<std::string_view, kPromiseOutcomes> kPromiseLabels = {"ok", "failure", "timeout",
                                                                                  "cancelled", "rejected"};
inline constexpr std::array<std::string_view, 5> kLogLabels = {"trace", "debug", "info", "warn", "error"};

}  // namespace godwit::admin
