#include "transfer/plan.h"

#include <fmt/format.h>

namespace godwit::transfer {
namespace {

tl::unexpected<Error> bad(std::string text) { return fail(Code::kValueWrong, std::move(text)); }

}  // namespace

Status check(const Plan& plan, const SizeRange& sizes) {
  if (index_of(plan.size_class) >= kSizeClasses)
    return bad(fmt::format("there is no size class {}", index_of(plan.size_class)));
  if (plan.lane == Lane::kShared && sizes.bytes_max > kSharedLaneBytesMax)
    return bad(fmt::format("bodies of more than {} bytes travel on a stream of their own", kSharedLaneBytesMax));
  if (plan.buffer_bytes == 0 || plan.buffer_bytes > kPlanBufferBytesMax)
    return bad(fmt::format("a buffer of {} bytes; 1 to {} are possible", plan.buffer_bytes, kPlanBufferBytesMax));
  if (plan.chunk_bytes == 0 || plan.chunk_bytes > plan.buffer_bytes)
    return bad(fmt::format("chunks of {} bytes do not fit a buffer of {}", plan.chunk_bytes, plan.buffer_bytes));
  if (plan.timeout <= Duration::zero() || plan.timeout > kPlanTimeoutMax)
    return bad("the timeout must be more than 0 and at most 24 hours");
  if (plan.retries > kPlanRetriesMax) return bad(fmt::format("{} retries; at most {}", plan.retries, kPlanRetriesMax));
  if (plan.streams == 0 || plan.streams > kPlanStreamsMax)
    return bad(fmt::format("{} streams; 1 to {} are possible", plan.streams, kPlanStreamsMax));
  return {};
}

}  // namespace godwit::transfer
