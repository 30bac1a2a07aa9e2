#pragma once

#include <cstddef>

namespace godwit::wire {

/// What this program asked the system's allocator for, by whatever way. Sanitizers have an allocator of their own:
/// there nothing is counted and `is_counting` is false.
struct Allocations {
  size_t count = 0;
  size_t bytes = 0;
};
Allocations allocations();
bool is_counting();

/// What `work` allocates.
template <typename Work>
Allocations allocations_of(Work&& work) {
  const Allocations before = allocations();
  work();
  const Allocations after = allocations();
  return {after.count - before.count, after.bytes - before.bytes};
}

}  // namespace godwit::wire
