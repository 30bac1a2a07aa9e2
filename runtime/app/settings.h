#pragma once

#include "app/config/config.h"
#include "app/kv_space.h"
#include "app/once_book.h"
#include "app/server_core.h"
#include "app/worker.h"
#include "host/reload.h"
#include "io/http_policy.h"
#include "io/udp_setup.h"
#include "store/engine.h"

namespace godwit::app {

/// From what the operator wrote to what each part wants to know.
session::SessionConfig session_settings(const Config& config);
ServerCoreConfig core_settings(const Config& config);
/// Of the app of that name, which may have limits of its own; empty: of an app that has none.
host::AppLimits app_limits(const Config& config, const std::string& app = {});
KvLimits kv_limits(const Config& config);
OfflineLimits offline_limits(const Config& config);
/// The store that was asked for, with its folder. An error names the file.
Result<std::unique_ptr<store::Engine>> open_store(const Config& config, const Clock& clock, Log log);
OnceLimits once_limits(const Config& config);
host::ReloadBounds reload_bounds(const Config& config);
io::BusyPoll busy_poll_settings(const Config& config);
io::UdpOptions udp_settings(const Config& config, const SocketAddress& bind, uint32_t workers);

/// The number of workers that server.workers = 0 stands for, and the bound of its value.
uint32_t worker_count(const Config& config);
size_t work_threads(const Config& config);

/// Where scripts may send requests to. An error names the keys.
Result<io::HttpPolicy> http_policy(const Config& config);
/// The same of apps that say so of themselves.
Result<io::OwnHttpPolicies> own_http_policies(const Config& config);

/// Where serving starts: the parsed listen addresses, or which one is wrong.
Result<std::vector<SocketAddress>> listen_addresses(const Config& config);

}  // namespace godwit::app
