#include "store/bounds.h"

namespace godwit::store {

Status check(const StoreBatch& batch) {
  if (batch.size() > Store::kStepsMax) return fail(Code::kMessageTooLarge, "a batch has at most 10,000 steps");
  for (const StoreStep& step : batch) {
    if (step.key.empty() || step.key.size() > Store::kKeyBytesMax) {
      return fail(Code::kMessageTooLarge, "a key of the store has 1 to 1,024 bytes");
    }
    if (step.value.size() > Store::kValueBytesMax) {
      return fail(Code::kMessageTooLarge, "a value of the store has at most 16 MiB and 32 KiB");
    }
  }
  return {};
}

size_t bytes_of(const StoreBatch& batch) {
  size_t bytes = 0;
  for (const StoreStep& step : batch) bytes += sizeof(StoreStep) + step.key.size() + step.value.size();
  return bytes;
}

}  // namespace godwit::store
