#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "app/config/config.h"
#include "app/config/warning.h"

namespace godwit::app {

/// Limits that the machine sets, as far as it tells them.
struct HostFacts {
  std::optional<uint64_t> receive_buffer_max;  ///< net.core.rmem_max, bytes
  std::optional<uint64_t> send_buffer_max;     ///< net.core.wmem_max, bytes
  std::optional<uint64_t> open_files_max;      ///< soft RLIMIT_NOFILE
};
HostFacts read_host_facts();

/// Files a busy server may have open: sockets, certificates, scripts, stored bodies, watches.
inline constexpr uint64_t kOpenFilesWanted = 1'000'000;

/// Where the machine gives less than the configuration asks for. The server runs all the same, and loses packets under
/// load.
std::vector<Warning> check_host(const Config& config, const HostFacts& facts);

}  // namespace godwit::app
