#pragma once

#include <cstdint>

namespace godwit::admin {

/// What the kernel counts for this process. What it does not tell is 0.
struct ProcessStats {
  double cpu_seconds = 0;  ///< user and system, all threads
  uint64_t resident_bytes = 0;
  uint64_t virtual_bytes = 0;
  uint64_t open_files = 0;
  uint64_t open_files_max = 0;
  uint64_t threads = 0;
};
ProcessStats read_process_stats();

}  // namespace godwit::admin
